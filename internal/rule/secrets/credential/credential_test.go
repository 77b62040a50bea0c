package credential

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// made joins the halves of a value that would set off scanners if it stood
// here in one piece.
func made(halves ...string) string { return strings.Join(halves, "") }

func TestInNamed(t *testing.T) {
	for _, tt := range []struct{ name, value string }{
		{"DB_PASSWORD", "mySecretPassword123"},
		{"POSTGRES_PASSWORD", "password"},
		{"password", "changeme"},
		{"adminPassword", "admin"},
		{"smtp_pass", "hunter2"},
		{"ADMIN_PASS", "immich"},
		{"passphrase", "correct horse battery staple"},
		{"rootPassword", "123456"},
		{"JWT_SECRET", "supersecret"},
		{"AUTH_TOKEN", "abcdef"},
		{"SECRET_KEY", "not-so-secret-key-1"},
		{"SONARR_KEY", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
		{"apiKey", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
		{"clientSecret", "kY7pQ2vX9mN4"},
		{"token", "7b3f9a52-1c4d-4e8f-9a6b-2d5e8c1f4a7b"},
		{"secret", "p9Kx2mQv7Lw4Zt8R"},
		{"secretKey", "wJalrXUtnFEMIK7MDENGbPxRfiCYzz11"},
	} {
		if what := In(tt.name, tt.value); what != "the value of "+tt.name {
			t.Errorf("%s with %q is %q", tt.name, tt.value, what)
		}
	}
}

func TestInNamesNothing(t *testing.T) {
	for _, tt := range []struct{ name, value string }{
		{"DB_PASSWORD", "{{ .DB_PASSWORD }}"},
		{"DB_PASSWORD", "${DB_PASSWORD}"},
		{"DB_PASSWORD", "$DB_PASSWORD"},
		{"DB_PASSWORD", "DB_PASSWORD"},
		{"DB_PASSWORD", "op://vault/item/field"},
		{"DB_PASSWORD", ""},
		{"DB_PASSWORD_FILE", "/run/secrets/password"},
		{"password", "disabled"},
		{"password", "password"},
		{"password", "admin-password"},
		{"password", "ENC[AES256_GCM,data:x,type:str]"},
		{"password", "<your password>"},
		{"password", "********"},
		{"password", "$2y$10$abcdefghijklmnopqrstuv"},
		{"passwordLabel", "Enter your password"},
		{"password", "Forgot your password?"},
		{"passwordKey", "postgres-password"},
		{"passwordHash", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
		{"existingSecret", "immich-secret"},
		{"existingSecret", "authentik-postgres16"},
		{"secret", "immich"},
		{"secretName", "p9Kx2mQv7Lw4Zt8R"},
		{"TLS_SECRET", "wildcard-tls"},
		{"token", "github-token"},
		{"tokenPath", "/var/run/token"},
		{"apiKey", "api-key"},
		{"apiKey", "sonarr"},
		{"privateKey", "tls.key"},
		{"publicKey", "AAAAC3NzaC1lZDI1NTE5AAAAIJ0000abcdefgh123"},
		{"automountServiceAccountToken", "true"},
		{"token_ttl", "24h"},
		{"sessionToken", "24h"},
		{"proxy_pass", "backend1"},
		{"twoPass", "x265"},
		{"bypass", "all"},
		{"id", "7b3f9a52-1c4d-4e8f-9a6b-2d5e8c1f4a7b"},
		{"digest", "sha256:e6a6298e67ae077808fdb7d8d5565955f60b0708191576143fc02d30ab1389d1"},
		{"url", "https://example.com/path"},
		{"url", "postgres://{{ .USER }}:{{ .PASS }}@host/db"},
		{"url", "postgres://${USER}:${PASS}@host/db"},
		{"url", "https://user@example.com"},
		{"url", "http://host:8080/a@b"},
		{"cert", "-----BEGIN CERTIFICATE-----"},
		{"ssh", "-----BEGIN PUBLIC KEY-----"},
		{"AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"},
	} {
		if what := In(tt.name, tt.value); what != "" {
			t.Errorf("%s with %q is %q, not nothing", tt.name, tt.value, what)
		}
	}
}

func TestFormats(t *testing.T) {
	random := "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"
	for _, tt := range []struct{ value, want string }{
		{made("-----BEGIN RSA ", "PRIVATE KEY-----"), "a private key"},
		{made("-----BEGIN ", "PRIVATE KEY-----"), "a private key"},
		{made("AGE-SECRET", "-KEY-1", strings.Repeat("Q2W3E4R5T6", 6)), "a private key of age"},
		{made("AKI", "AQ2W3E4R5T6Y7U8I9"), "an access key of AWS"},
		{made("gh", "p_", random), "a GitHub token"},
		{made("xox", "b-", random), "a Slack token"},
		{made("eyJ", "hbGciOiJIUzI1NiJ9", ".eyJ", "zdWIiOiIxMjM0NTY3ODkw", ".dBjftJeZ4CVPmB92K27uhbUJU1p1r"), "a JSON Web Token"},
		{made("12345678", ":AA", random[:33]), "a Telegram token"},
		{"postgres://immich:hunter2@db:5432/immich", "the password in a URL"},
		{"redis://:hunter2@redis:6379", "the password in a URL"},
		{made("LS0tLS1CRUdJTiBFRDI1NTE5IFBSSVZBVEUg", "S0VZLS0tLS0KTUM0Q0FRQXdCUVlESzJWd0JDSUVJ"), "a private key"},
		{"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJQakNC", ""},
		{"ghcr.io/home-operations/postgres-init", ""},
	} {
		if got := In("anything", tt.value); got != tt.want {
			t.Errorf("a value of the format of %s is %q", tt.want, got)
		}
	}
}

func TestInText(t *testing.T) {
	text := strings.Join([]string{
		0:  `# password: hunter2`,
		1:  `user: admin`,
		2:  `password: hunter2`,
		3:  `  - token: {{ .TOKEN }}`,
		4:  `export API_KEY="abcdef123456"`,
		5:  `password=$(cat /run/secret)`,
		6:  `{"user": "x", "password": "hunter2"}`,
		7:  `<ApiKey>0f1e2d3c4b5a69788796a5b4c3d2e1f0</ApiKey>`,
		8:  `Server=db;User=x;Password=hunter2;`,
		9:  `ALTER ROLE immich PASSWORD 'hunter2';`,
		10: `const token = getToken()`,
		11: `args: --requirepass --token=0f1e2d3c4b5a69788796a5b4c3d2e1f0`,
		12: `host=db password=${PASS}`,
		13: `title: Forgot your password?`,
		14: `smtp_password = "hunter2" # mail`,
		15: `password: ENC[AES256_GCM,data:x]`,
		16: `tokens: [a, b]`,
		17: `path: /api?token=abc`,
	}, "\n")
	want := []Found{
		{2, "the value of password"}, {4, "the value of API_KEY"}, {6, "the value of password"}, {7, "the value of ApiKey"},
		{8, "the value of Password"}, {9, "the value of PASSWORD"}, {11, "the value of token"}, {14, "the value of smtp_password"},
	}
	if diff := cmp.Diff(want, InText(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWords(t *testing.T) {
	for name, want := range map[string]string{
		"DB_PASSWORD": "db password", "dbPassword": "db password", "APIKey": "api key", "JWTSecret": "jwt secret",
		"example.com/api-token": "api token", "oauth2Token": "oauth2 token", "": "",
	} {
		if got := strings.Join(words(name), " "); got != want {
			t.Errorf("the words of %s are %q, want %q", name, got, want)
		}
	}
}

func FuzzInText(f *testing.F) {
	f.Add("password: hunter2\n# x\nhttps://a:b@c")
	f.Add(`{"token": "abc`)
	f.Add("a=\"")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + 1
		for _, found := range InText(text) {
			if found.Line < 0 || found.Line >= lines || found.What == "" {
				t.Errorf("line %d of %d: %q", found.Line, lines, found.What)
			}
		}
		In("password", text)
	})
}
