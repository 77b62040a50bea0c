package record_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/engine/dns/record"
)

func TestTypeOf(t *testing.T) {
	for target, want := range map[string]string{
		"192.0.2.1": record.A, "2001:db8::1": record.AAAA, "lb.example.org": record.CNAME, "1.2.3": record.CNAME,
	} {
		if got := record.TypeOf(target); got != want {
			t.Errorf("%s leads to %s, want %s", target, got, want)
		}
	}
}

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"example.org": true, "*.example.org": true, "_sip._tcp.example.org": true, "x": true,
		"": false, "a..b": false, "a b.example.org": false, "a.*.example.org": false, "A.example.org": false,
		strings.Repeat("a", 63) + ".org": true, strings.Repeat("a", 64) + ".org": false,
		strings.Repeat("a.", 127) + "a": false, "ü.example.org": false, "a\x00b": false,
	} {
		if got := record.ValidName(name); got != want {
			t.Errorf("%q is valid: %v", name, got)
		}
	}
	if !record.ValidOwnershipName("a-*.example.org") || record.ValidOwnershipName("a b.example.org") {
		t.Error("a wildcard's ownership record has an asterisk inside its first label, and nothing else is allowed")
	}
}

func TestTargets(t *testing.T) {
	got := record.Targets(record.CNAME, []string{"B.example.org.", "a.example.org", "b.example.org", ""})
	if diff := cmp.Diff([]string{"a.example.org", "b.example.org"}, got); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if got := record.Targets(record.TXT, []string{"Kept."}); got[0] != "Kept." {
		t.Errorf("the text became %q", got[0])
	}
}

func TestWithin(t *testing.T) {
	if !record.Within("example.org", "example.org") || !record.Within("a.example.org", "example.org") || record.Within("badexample.org", "example.org") {
		t.Error("a domain holds itself and what is below it, and nothing else")
	}
}
