package scaffold

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseImage(t *testing.T) {
	for text, want := range map[string]Image{
		"ghcr.io/example/web:1.0@" + digest:      {"ghcr.io/example/web", "1.0", digest},
		"registry.example.com:5000/web:v2":       {"registry.example.com:5000/web", "v2", ""},
		"traefik/whoami:v1.11.0":                 {"traefik/whoami", "v1.11.0", ""},
		"docker.io/library/postgres:17-bookworm": {"docker.io/library/postgres", "17-bookworm", ""},
	} {
		got, err := ParseImage(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseImage(%q): %v (-want +got):\n%s", text, err, diff)
		}
	}
	for text, why := range map[string]string{
		"":                                "is no image",
		"web":                             "has no tag",
		"registry.example.com:5000/web":   "has no tag",
		"ghcr.io/example/web@" + digest:   "has no tag",
		"ghcr.io/example/web:latest":      "changes unpredictably",
		"ghcr.io/Example/web:1":           "is no image",
		"ghcr.io/example/web:1@sha256:12": "is no digest",
		"ghcr.io/example/web:1@":          "is no digest",
		"ghcr.io/example/web:a b":         "is no tag",
		"ghcr.io/../web:1":                "is no image",
	} {
		if _, err := ParseImage(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("ParseImage(%q): the error is %v, want one with %q", text, err, why)
		}
	}
}

func TestParseStorage(t *testing.T) {
	for text, want := range map[string]Storage{
		"10Gi":                           {Size: "10Gi"},
		"500M":                           {Size: "500M"},
		"nfs:nas.example.com:/volume1":   {Server: "nas.example.com", Path: "/volume1"},
		"nfs:${NAS}:/volume1/media":      {Server: "${NAS}", Path: "/volume1/media"},
		"nfs:192.168.1.2:/volume1/media": {Server: "192.168.1.2", Path: "/volume1/media"},
	} {
		got, err := ParseStorage(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseStorage(%q): %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "ten", "-1Gi", "0", "nfs:", "nfs:nas", "nfs:nas:volume1", "nfs:nas:/a/../b", "nfs:na s:/a", "nfs:nas:/a/"} {
		if _, err := ParseStorage(text); err == nil {
			t.Errorf("ParseStorage(%q) is no error", text)
		}
	}
}

func FuzzParseImage(f *testing.F) {
	f.Add("ghcr.io/example/web:1.0@" + digest)
	f.Add("a:1@")
	f.Fuzz(func(t *testing.T, text string) {
		image, err := ParseImage(text)
		if err != nil {
			return
		}
		// What was read is what was written.
		if got := image.Repository + ":" + image.Pinned(); got != text {
			t.Errorf("%q was read as %q", text, got)
		}
	})
}

func FuzzParseStorage(f *testing.F) {
	f.Add("10Gi")
	f.Add("nfs:nas.example.com:/volume1")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseStorage(text)
		if err == nil && (s.Size == "") == (s.Server == "") {
			t.Errorf("%q is neither a claim nor a folder, or both: %+v", text, s)
		}
	})
}
