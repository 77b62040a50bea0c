package kube

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const twoContexts = `apiVersion: v1
kind: Config
current-context: home
clusters:
- name: home
  cluster: {server: "https://home.invalid:6443"}
- name: lab
  cluster: {server: "https://lab.invalid:6443"}
contexts:
- name: home
  context: {cluster: home, user: me}
- name: lab
  context: {cluster: lab, user: me}
users:
- name: me
  user: {token: abc}
`

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConnect(t *testing.T) {
	path := write(t, twoContexts)
	for context, host := range map[string]string{"": "https://home.invalid:6443", "home": "https://home.invalid:6443", "lab": "https://lab.invalid:6443"} {
		cfg, err := Connect(path, context)
		if err != nil {
			t.Errorf("Connect(%q): %v", context, err)
			continue
		}
		if cfg.Host != host || cfg.BearerToken != "abc" {
			t.Errorf("Connect(%q) goes to %s, want %s", context, cfg.Host, host)
		}
	}
}

func TestConnectFollowsTheEnvironment(t *testing.T) {
	t.Setenv("KUBECONFIG", write(t, twoContexts))
	cfg, err := Connect("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Host != "https://lab.invalid:6443" {
		t.Errorf("Connect goes to %s", cfg.Host)
	}
}

func TestConnectRefuses(t *testing.T) {
	for _, test := range []struct{ name, path, context, want string }{
		{"no such file", filepath.Join(t.TempDir(), "none"), "", "reading the kubeconfig"},
		{"no such context", write(t, twoContexts), "office", `has no context "office"`},
		{"no current context", write(t, strings.Replace(twoContexts, "current-context: home\n", "", 1)), "", "sets no current context"},
		{"not a kubeconfig", write(t, "\x00\x01"), "", "reading the kubeconfig"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := Connect(test.path, test.context)
			if err == nil {
				t.Fatalf("it goes to %s", cfg.Host)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q does not say %q", err, test.want)
			}
		})
	}
}
