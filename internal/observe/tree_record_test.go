package observe

import (
	"encoding/base64"
	"testing"
)

func TestRecorded(t *testing.T) {
	pack := func(s string) []byte { return []byte(base64.StdEncoding.EncodeToString([]byte(s))) }
	keys, err := recorded(pack(`{"manifest": "---\n# Source: chart\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: server\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: other}\n"}`))
	if err != nil || len(keys) != 2 || keys[0].Kind != "Deployment" || keys[0].Group != "apps" || keys[1].Namespace != "other" {
		t.Errorf("%v, %v", keys, err)
	}
	for _, bad := range [][]byte{nil, []byte("%"), pack("\x1f\x8b not gzip"), pack("[]"), pack(`{"manifest": "a: ["}`)} {
		if keys, err := recorded(bad); err == nil && len(keys) > 0 {
			t.Errorf("%q: %v", bad, keys)
		}
	}
}

func FuzzRecorded(f *testing.F) {
	f.Add([]byte("e30="))
	f.Add([]byte("H4sIAAAAAAAA"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := recorded(data)
		if len(keys) > maxRecordObjects {
			t.Errorf("%d objects, %v", len(keys), err)
		}
	})
}
