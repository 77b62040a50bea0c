package template

import (
	"errors"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		text, engine string
		fine         bool
	}{
		{"{{ .A | upper }}", "", true},
		{"{{ .A | b64enc }}", "v2", true},
		{"{{ .A | pkcs12key | trim }}", "", true},
		{"{{ .A | nosuch }}", "v2", false},
		{"{{ .A ", "", false},
		{"{{ env \"HOME\" }}", "", false},
		{"{{ .a | toString }}", "v1", true},
		{"{{ .a | b64enc }}", "v1", false},
		{"{{ if .a }}", "v1", false},
	} {
		err := Check(Source{Name: "t", Text: tt.text}, tt.engine)
		var known *Error
		if (err == nil) != tt.fine || err != nil && (!errors.As(err, &known) || known.Line != 1) {
			t.Errorf("%q for engine %q: %v", tt.text, tt.engine, err)
		}
	}
}
