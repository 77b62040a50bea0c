package notification

import (
	"strings"
	"testing"
)

const (
	sha1Hash   = "5394cb7f48332b2de7c17dd8b8384bbc84b7e738"
	sha256Hash = "8a9e9863dbb6e10edb5adfe917c00da84e1700fa76e7ed02476aa6e6fb8ee0d8"
)

func TestParseRevision(t *testing.T) {
	for revision, want := range map[string]string{
		"main@sha1:" + sha1Hash:                  sha1Hash,
		"main@sha256:" + sha256Hash:              sha256Hash,
		"feature/a@b@sha1:" + sha1Hash:           sha1Hash,
		"refs/pull/420/head@sha1:" + sha1Hash:    sha1Hash,
		"sha1:" + sha1Hash:                       sha1Hash,
		"main/" + sha1Hash:                       sha1Hash,
		"feature/branch/" + sha1Hash:             sha1Hash,
		"HEAD/" + sha1Hash:                       sha1Hash,
		sha1Hash:                                 sha1Hash,
		"latest@sha256:" + sha256Hash:            sha256Hash,
		"":                                       "",
		"main":                                   "",
		"1.2.3":                                  "",
		"main@sha1:" + sha1Hash[:39]:             "",
		"main@sha1:" + sha256Hash:                "",
		"main@md5:" + sha1Hash:                   "",
		"main@sha1:" + strings.ToUpper(sha1Hash): "",
		"main@sha1:../../" + sha1Hash[:34]:       "",
	} {
		got, ok := parseRevision(revision)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v; want %q", revision, got, ok, want)
		}
	}
}

func TestRepositoryOf(t *testing.T) {
	for address, want := range map[string]string{
		"https://github.com/octocat/homelab":               "https://github.com octocat/homelab",
		"https://github.com/octocat/homelab.git":           "https://github.com octocat/homelab",
		"https://user:c4n4ry@forge.example:8443/a/b/c/":    "https://forge.example:8443 a/b/c",
		"http://127.0.0.1:3000/gitea/homelab":              "http://127.0.0.1:3000 gitea/homelab",
		"ssh://git@github.com/octocat/homelab":             "https://github.com octocat/homelab",
		"ssh://git@forge.example:2222/octocat/homelab.git": "https://forge.example octocat/homelab",
		"git@gitlab.com:group/sub/homelab.git":             "https://gitlab.com group/sub/homelab",
		"https://github.com":                               "",
		"https://github.com/a/../b":                        "",
		"ftp://github.com/a/b":                             "",
		"file:///etc/passwd":                               "",
		"":                                                 "",
		"octocat/homelab":                                  "",
		"https://c4n4ry:%zz@x/a/b":                         "",
	} {
		forge, path, err := repositoryOf(address)
		if err != nil && strings.Contains(err.Error(), "c4n4ry") {
			t.Errorf("the error tells a secret: %v", err)
		}
		got := ""
		if err == nil {
			got = forge.String() + " " + path
		}
		if got != want {
			t.Errorf("%q: %q (%v), want %q", address, got, err, want)
		}
	}
}

func TestWords(t *testing.T) {
	for reason, want := range map[string]string{
		"ReconciliationSucceeded": "reconciliation succeeded",
		"HealthCheckFailed":       "health check failed",
		"OCIArtifactFailed":       "oci artifact failed",
		"":                        "",
		"info":                    "info",
	} {
		if got := words(reason); got != want {
			t.Errorf("%q: %q, want %q", reason, got, want)
		}
	}
}

func FuzzParseRevision(f *testing.F) {
	f.Add("main@sha1:" + sha1Hash)
	f.Add("main/" + sha1Hash)
	f.Fuzz(func(t *testing.T, revision string) {
		if hash, ok := parseRevision(revision); ok && (!commitHash.MatchString(hash) || !strings.HasSuffix(revision, hash)) {
			t.Errorf("%q yields %q", revision, hash)
		}
	})
}

func FuzzRepositoryOf(f *testing.F) {
	f.Add("https://github.com/octocat/homelab.git")
	f.Add("git@gitlab.com:group/homelab")
	f.Fuzz(func(t *testing.T, address string) {
		forge, path, err := repositoryOf(address)
		if err != nil {
			return
		}
		if forge.User != nil || forge.Path != "" || path == "" || strings.Contains("/"+path+"/", "/../") {
			t.Errorf("%q yields %s and %q", address, forge, path)
		}
	})
}
