package schema

import (
	"fmt"
	"strings"
	"testing"

	"hearth/internal/spelling"
)

func TestFieldPath(t *testing.T) {
	for want, path := range map[string][]string{
		"":                           nil,
		"spec":                       {"spec"},
		"spec.ports[0].name":         {"spec", "ports", "0", "name"},
		`metadata.labels["a.b/c"].d`: {"metadata", "labels", "a.b/c", "d"},
		`a[""]`:                      {"a", ""},
		"0":                          {"0"},
	} {
		if got := FieldPath(path); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"port", "ports", "protocol", "image", "imagePullPolicy", "imagePullSecrets"}
	for name, want := range map[string]string{
		"prots": "ports", "Port": "port", "imagepullpolicy": "imagePullPolicy", "imagePulPolicy": "imagePullPolicy",
		"imgae": "image", "something": "", "": "", "x": "", "protocl": "protocol",
		strings.Repeat("port", 100): "",
	} {
		if got := spelling.Guess(name, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestQuoted(t *testing.T) {
	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprint(i))
	}
	for _, test := range []struct {
		names []string
		want  string
	}{
		{[]string{"a"}, "`a`"},
		{[]string{"a", "b"}, "`a` and `b`"},
		{[]string{"a", "b", "c"}, "`a`, `b` and `c`"},
		{many[:13], "`0`, `1`, `2`, `3`, `4`, `5`, `6`, `7`, `8`, `9`, `10`, `11` and `12`"},
		{many, "`0`, `1`, `2`, `3`, `4`, `5`, `6`, `7`, `8`, `9`, `10`, `11`, … (8 more)"},
	} {
		if got := quoted(test.names, "and"); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

func TestCredentialLike(t *testing.T) {
	for path, want := range map[string]bool{
		"spec/password": true, "spec/adminToken": true, "env/0/value": true, "tokens/0": true,
		"spec/secretStoreRef/kind": false, "spec/type": false, "": false,
	} {
		if got := credentialLike(strings.Split(path, "/")); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}
