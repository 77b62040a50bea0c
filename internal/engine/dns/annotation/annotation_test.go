package annotation_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/engine/dns/annotation"
)

const alpha = annotation.AlphaPrefix

// The expectations are those of External-DNS' docs/annotations/annotations.md.
func TestAnnotations(t *testing.T) {
	s := annotation.Of(map[string]string{
		alpha + "hostname":           "a.example.org, B.example.org.,,",
		alpha + "target":             "192.0.2.1",
		annotation.Prefix + "target": "192.0.2.2",
		annotation.Prefix + "ttl":    "10m",
		alpha + "cloudflare-proxied": "true",
		alpha + "aws-weight":         "10",
		alpha + "set-identifier":     "eu",
	})
	if diff := cmp.Diff([]string{"a.example.org", "b.example.org"}, s.Hostnames()); diff != "" {
		t.Errorf("hostnames (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"192.0.2.1"}, s.Targets()); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"cloudflare/proxied": "true", "aws/weight": "10"}, s.Properties()); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
	if got := s.TTL(); got != 600 {
		t.Errorf("TTL is %d, want 600", got)
	}
	if got := s.SetIdentifier(); got != "eu" {
		t.Errorf("set identifier is %q", got)
	}
}

func TestController(t *testing.T) {
	tests := []struct {
		values map[string]string
		want   bool
	}{
		{nil, true},
		{map[string]string{alpha + "controller": "dns-controller"}, true},
		{map[string]string{alpha + "controller": "none"}, false},
		{map[string]string{alpha + "controller": ""}, false},
	}
	for _, test := range tests {
		if got := annotation.Of(test.values).Ours(); got != test.want {
			t.Errorf("%v: ours is %v", test.values, got)
		}
	}
}

func TestTTL(t *testing.T) {
	for text, want := range map[string]int64{
		"60": 60, "1m": 60, "1.5s": 1, "0": 0, "-5": 0, "x": 0, "": 0, "2147483647": 2147483647, "2147483648": 0, "100000000h": 0,
	} {
		if got := annotation.Of(map[string]string{alpha + "ttl": text}).TTL(); got != want {
			t.Errorf("TTL of %q is %d, want %d", text, got, want)
		}
	}
}

func FuzzAnnotations(f *testing.F) {
	f.Add("a.example.org,b.example.org", "5m", "cloudflare-proxied")
	f.Add(",,.", "-1", "aws-")
	f.Fuzz(func(t *testing.T, names, ttl, key string) {
		s := annotation.Of(map[string]string{alpha + "hostname": names, alpha + "ttl": ttl, alpha + key: names})
		if got := s.TTL(); got < 0 || got > math.MaxInt32 {
			t.Errorf("TTL of %q is %d", ttl, got)
		}
		for _, name := range s.Hostnames() {
			if name == "" {
				t.Errorf("an empty name from %q", names)
			}
		}
		s.Properties()
	})
}
