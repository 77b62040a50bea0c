package onepassword_test

import (
	"os"
	"path/filepath"
	"testing"

	"hearth/internal/onepassword"
)

// canary is what secret values of the tests begin with: it must never be seen.
const canary = "c4n4ry"

const vaultFile = `
vaults:
  - name: Kubernetes
    items:
      - title: immich
        tags: [app, media]
        fields:
          - {label: username, value: c4n4ry-user}
          - {label: DB_PASSWORD, value: c4n4ry-db, section: database}
          - {label: API key, value: 0123, type: STRING}
      - title: twice
        fields: [{label: a, value: c4n4ry-1}]
      - title: twice
        fields: [{label: a, value: c4n4ry-2}, {label: b, value: c4n4ry-x}, {label: b, value: c4n4ry-y}]
      - title: kubeconfig
        category: DOCUMENT
        files: [{name: admin.conf, content: "c4n4ry-file"}, {name: blob, base64: AP8=}]
  - name: Other
    id: aaaaaaaaaaaaaaaaaaaaaaaaaa
    items:
      - title: immich
        fields: [{label: username, value: c4n4ry-other}]
      - title: only here
        id: bbbbbbbbbbbbbbbbbbbbbbbbbb
        fields: [{label: x, value: c4n4ry-z}]
`

// writeVault writes a vault file and returns its path.
func writeVault(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// serve starts a server and returns it with its URL.
func serve(t testing.TB, o onepassword.ServerOptions) (*onepassword.Server, string) {
	t.Helper()
	s, err := onepassword.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, listening(t, s)
}

// listening lets a server listen, and returns its URL.
func listening(t testing.TB, s *onepassword.Server) string {
	t.Helper()
	url, _, err := s.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return url
}
