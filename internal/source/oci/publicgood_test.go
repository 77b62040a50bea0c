package oci

import (
	"testing"
	"time"
)

func TestPublicGood(t *testing.T) {
	root, err := PublicGood()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var authorities, issued, logs int
	for _, a := range root.authorities {
		if a.valid.covers(at) {
			authorities++
		}
	}
	for _, l := range root.issued {
		if l.valid.covers(at) {
			issued++
		}
	}
	for _, l := range root.logs {
		if l.valid.covers(at) {
			logs++
		}
	}
	if authorities != 1 || issued != 1 || logs != 1 {
		t.Errorf("%d authorities, %d logs of certificates and %d of signatures are in use, want one of each", authorities, issued, logs)
	}
}
