package images

import (
	"testing"

	"hearth/internal/rule/ruletest"
)

func TestRules(t *testing.T) { ruletest.Run(t, Rules) }

func TestParse(t *testing.T) {
	for _, test := range []struct {
		reference, repository, tag, digest string
		ok                                 bool
	}{
		{"nginx", "nginx", "", "", true},
		{"ghcr.io/a/b:v1", "ghcr.io/a/b", "v1", "", true},
		{"localhost:5000/a/b", "localhost:5000/a/b", "", "", true},
		{"localhost:5000/a/b:1", "localhost:5000/a/b", "1", "", true},
		{"a/b@sha256:00ff", "a/b", "", "sha256:00ff", true},
		{"a/b:1@sha256:00ff", "a/b", "1", "sha256:00ff", true},
		{"docker://alpine:3", "alpine", "3", "", true},
		{"https://example.com/a.png", "", "", "", false},
		{"/assets/logo:2", "", "", "", false},
		{"background.jpg", "", "", "", false},
		{"two words", "", "", "", false},
		{"{{ .Values.image }}", "", "", "", false},
	} {
		repository, tag, digest, ok := parse(test.reference)
		if repository != test.repository || tag != test.tag || digest != test.digest || ok != test.ok {
			t.Errorf("parse(%q) = %q, %q, %q, %v", test.reference, repository, tag, digest, ok)
		}
	}
}

func TestParseTag(t *testing.T) {
	for _, test := range []struct {
		text, tag, digest string
		ok                bool
	}{
		{"", "", "", true},
		{"v1", "v1", "", true},
		{"v1@sha256:00ff", "v1", "sha256:00ff", true},
		{"@sha256:00ff", "", "sha256:00ff", true},
		{"sha256:00ff", "", "sha256:00ff", true},
		{"no tag", "", "", false},
	} {
		tag, digest, ok := parseTag(test.text)
		if tag != test.tag || digest != test.digest || ok != test.ok {
			t.Errorf("parseTag(%q) = %q, %q, %v", test.text, tag, digest, ok)
		}
	}
}

// FuzzParse holds that what a reference is taken apart into makes it again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"nginx", "ghcr.io/a/b:v1@sha256:00", "localhost:5000/a", "a:b:c", "@", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, reference string) {
		repository, tag, digest, ok := parse(reference)
		if !ok {
			return
		}
		again := repository
		if tag != "" {
			again += ":" + tag
		}
		if digest != "" {
			again += "@" + digest
		}
		if again != reference && "docker://"+again != reference {
			t.Errorf("parse(%q) makes %q", reference, again)
		}
	})
}
