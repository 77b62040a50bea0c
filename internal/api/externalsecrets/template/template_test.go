package template_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/api/externalsecrets/template"
)

func TestExecute(t *testing.T) {
	leaf, root := certificate(t, false), certificate(t, true)
	tests := []struct {
		name, text string
		data       map[string]string
		want       string
	}{
		{"field", "{{ .A }}-{{ .B }}", map[string]string{"A": "1", "B": "2"}, "1-2"},
		{"sprig", `{{ .A | upper | quote }}`, map[string]string{"A": "x"}, `"X"`},
		{"base64", `{{ .A | b64dec }}{{ "y" | b64enc }}`, map[string]string{"A": "eA=="}, "xeQ=="},
		{"json", `{{ (.A | fromJson).k }}`, map[string]string{"A": `{"k":"v"}`}, "v"},
		{"yaml both ways", `{{ fromYaml .A | toYaml }}`, map[string]string{"A": "b: 1\na: [x]"}, "a:\n- x\nb: 1"},
		{"whole mapping", `{{ toJson (dict "a" .A) | b64enc }}`, map[string]string{"A": "1"}, base64.StdEncoding.EncodeToString([]byte(`{"a":"1"}`))},
		{"index of nothing", `{{ index . "none" }}`, map[string]string{}, ""},
		{"hexadecimal", `{{ hexdec "6869" }}`, nil, "hi"},
		{"filter PEM", `{{ .A | filterPEM "CERTIFICATE" }}`, map[string]string{"A": leaf + "-----BEGIN X-----\neA==\n-----END X-----\n"}, leaf},
		{"filter chain", `{{ .A | filterCertChain "root" }}`, map[string]string{"A": leaf + root}, root},
		{"names of a certificate", `{{ certSANs .A | join "," }}`, map[string]string{"A": leaf}, "home.example"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := template.Execute(t.Context(), template.Source{Name: "K", Text: tt.text}, tt.data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestJSONWebKey(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	jwk, err := json.Marshal(map[string]string{
		"kty": "EC", "crv": "P-256", "x": b64(key.X.FillBytes(make([]byte, 32))),
		"y": b64(key.Y.FillBytes(make([]byte, 32))), "d": b64(key.D.FillBytes(make([]byte, 32))),
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := template.Execute(t.Context(), template.Source{Text: "{{ jwkPrivateKeyPem .K }}{{ jwkPublicKeyPem .K }}"}, map[string]string{"K": string(jwk)})
	if err != nil {
		t.Fatal(err)
	}
	private, rest := pem.Decode([]byte(out))
	got, err := x509.ParsePKCS8PrivateKey(private.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !key.Equal(got) {
		t.Error("the private key is another one")
	}
	public, _ := pem.Decode(rest)
	if got, err := x509.ParsePKIXPublicKey(public.Bytes); err != nil || !key.PublicKey.Equal(got) {
		t.Errorf("the public key is another one, error %v", err)
	}
}

const canary = "c4n4ry-v4lue"

func TestErrorsTellNoValue(t *testing.T) {
	tests := map[string]string{
		"missing field":         `{{ .A }}{{ .B }}`,
		"no JSON":               `{{ (.A | mustFromJson).x }}`,
		"no YAML":               `{{ fromYaml .A }}`,
		"no PEM":                `{{ filterPEM "X" .A }}`,
		"no regular expression": `{{ mustRegexMatch (printf "%s(" .A) "x" }}`,
		"range over text":       `{{ range .A }}{{ end }}`,
		"field of text":         `{{ .A.foo }}`,
		"compare":               `{{ if lt .A 3 }}{{ end }}`,
		"fail":                  `{{ fail .A }}`,
		"duration":              `{{ mustToDate "2006" .A }}`,
		"index beyond":          `{{ index .A 100 }}`,
		"call of a value":       `{{ .A 1 }}`,
		"slice":                 `{{ slice .A 5 2 }}`,
		"hexadecimal":           `{{ hexdec .A }}`,
		"unknown function":      `{{ env "HOME" }}`,
		"no template":           `{{ if }}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := template.Execute(t.Context(), template.Source{Name: "K", Text: text}, map[string]string{"A": canary})
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the error tells the value: %v", err)
			}
			if !strings.HasPrefix(err.Error(), `template "K", line 1`) {
				t.Errorf("the error does not say where: %v", err)
			}
		})
	}
}

func TestPrivateSourceIsNotCited(t *testing.T) {
	for _, text := range []string{"{{ " + canary, `{{ fail "` + canary + `" }}`, `{{ index .A "` + canary + `" 1 }}`, "{{ ." + strings.ReplaceAll(canary, "-", "_") + ".x.y }}{{ .A.c4n4ry }}"} {
		_, err := template.Execute(t.Context(), template.Source{Name: "K", Text: text, Private: true}, map[string]string{"A": "x", "c4n4ry_v4lue": ""})
		if err == nil || strings.Contains(err.Error(), "c4n4ry") {
			t.Errorf("%v", err)
		}
	}
}

func TestMissingField(t *testing.T) {
	_, err := template.Execute(t.Context(), template.Source{Name: "URL", Text: "a\n{{ .DB_PASSWORD }}"}, map[string]string{"A": "1"})
	var missing *template.MissingFieldError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v", err)
	}
	want := template.MissingFieldError{Template: "URL", Line: 2, Field: "DB_PASSWORD"}
	if diff := cmp.Diff(want, *missing); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"{{ $.A_VERY_LONG_NAME_OF_A_FIELD }}", "{{ $all := . }}{{ $all.B }}", "{{ $all := . }}{{ $all.A_VERY_LONG_NAME_OF_A_FIELD }}"} {
		_, err = template.Execute(t.Context(), template.Source{Name: "URL", Text: text}, nil)
		if !errors.As(err, &missing) {
			t.Errorf("%s: the missing field is not told: %v", text, err)
		}
	}
	for _, text := range []string{"{{ (fromJson .A).nope }}", "{{ with fromJson .A }}{{ .nope }}{{ end }}"} {
		_, err = template.Execute(t.Context(), template.Source{Name: "URL", Text: text}, map[string]string{"A": `{"k":"v"}`})
		if err == nil || errors.As(err, &missing) {
			t.Errorf("%s: a key of a value is taken for a field: %v", text, err)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, text := range []string{
		`{{ repeat 1000000000 "x" }}`, `{{ until 1000000000 }}`, `{{ untilStep 0 1000000000 1 }}`, `{{ seq 1 1000000000 }}`,
		`{{ randAlphaNum 1000000000 }}`, `{{ range until 60000 }}{{ repeat 100 "x" }}{{ end }}`, `{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}`,
	} {
		if _, err := template.Execute(t.Context(), template.Source{Text: text}, nil); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

func TestFields(t *testing.T) {
	field := func(name string, through ...string) template.Field {
		return template.Field{Name: name, Through: through}
	}
	tests := []struct {
		name, text string
		want       []template.Field
	}{
		{"none", "plain", []template.Field{}},
		{"plain", "{{ .B }}{{ .A }}{{ .B }}", []template.Field{field("A"), field("B")}},
		{"pipeline", "{{ .A | b64dec | trim }}", []template.Field{field("A", "b64dec", "trim")}},
		{"argument", `{{ printf "%s:%s" .USER .PASS | b64enc }}`, []template.Field{field("PASS", "printf", "b64enc"), field("USER", "printf")}},
		{"index", `{{ index . "my-field" }}{{ index $ "other" }}`, []template.Field{field("my-field"), field("other")}},
		{"if and with", `{{ if .A }}{{ .B }}{{ else }}{{ .C }}{{ end }}{{ with .D }}{{ . }}{{ .no }}{{ $.E }}{{ end }}`, []template.Field{field("A"), field("B"), field("C"), field("D"), field("E")}},
		{"range", `{{ range splitList "," .LIST }}{{ .no }}{{ $.YES }}{{ end }}{{ range $k, $v := . }}{{ $v }}{{ end }}`, []template.Field{field("LIST", "splitList"), field("YES")}},
		{"variable", `{{ $all := . }}{{ $all.A }}{{ $b := .B }}{{ $b }}`, []template.Field{field("A"), field("B")}},
		{"nested template", `{{ define "x" }}{{ .A }}{{ end }}{{ template "x" . }}{{ template "x" .B }}`, []template.Field{field("A"), field("B")}},
		{"keys of JSON", `{{ (.A | fromJson).user }}{{ $j := fromJson .A }}{{ $j.pass }}{{ index ($j) "host" }}`, []template.Field{{Name: "A", Through: []string{"fromJson"}, Keys: []string{"host", "pass", "user"}}}},
		{"asked for only", `{{ if hasKey . "A" }}{{ end }}{{ get . "B" }}`, []template.Field{field("B")}},
		{"default", `{{ .A | default "x" }}{{ default "y" .B }}`, []template.Field{field("A", "default"), field("B", "default")}},
		{"nested pipeline", `{{ toJson (dict "a" .A "b" (.B | b64dec)) | b64enc }}`, []template.Field{field("A", "dict"), field("B", "b64dec", "dict", "toJson", "b64enc")}},
		{"unknown function", `{{ nobody .A }}`, []template.Field{field("A", "nobody")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := template.Fields(template.Source{Name: "K", Text: tt.text})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := template.Fields(template.Source{Name: "K", Text: "{{ if }}"}); err == nil {
		t.Error("a template that does not parse has fields")
	}
}

func FuzzFields(f *testing.F) {
	f.Add("{{ .A | b64dec }}{{ with $x := .B }}{{ $x.c }}{{ end }}")
	f.Add(`{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}{{ index . "x" }}`)
	f.Fuzz(func(t *testing.T, text string) {
		fields, err := template.Fields(template.Source{Text: text})
		if err != nil {
			return
		}
		for i := 1; i < len(fields); i++ {
			if fields[i-1].Name >= fields[i].Name {
				t.Errorf("not in order: %v", fields)
			}
		}
	})
}

func certificate(t *testing.T, isCA bool) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "home"}, DNSNames: []string{"home.example"},
		NotAfter: time.Now().Add(time.Hour), IsCA: isCA, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
