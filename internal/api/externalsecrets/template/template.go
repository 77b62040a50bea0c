// Package template is the template engine v2 of ExternalSecrets: Go templates
// over the fields of vault items, with sprig's functions as far as they touch
// nothing but their arguments, and those for certificates, keys and encodings
// that External Secrets Operator documents.
//
// It promises that no error ever tells a value: an error names the template,
// the line, the expression as it is written in Git, and what is wrong with it.
// Fields tells which fields a template needs without executing it. Where
// templates and fields come from is left to others.
package template

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/template"
)

// MaxOutput bounds what one template may yield, in bytes: a Secret cannot
// hold more.
const MaxOutput = 1 << 20

// maxSource bounds the text of one template, in bytes.
const maxSource = 1 << 20

// name is what every template is called inside the engine, so that its errors
// can be taken apart.
const name = "t"

// Source is one template. Name says which one in errors, for example the key
// of the Secret that it makes. Private marks a text that comes from a Secret
// and must not be cited.
type Source struct {
	Name    string
	Text    string
	Private bool
}

// Execute runs a template over fields. A field that the template uses and
// data does not have is a *MissingFieldError; every other fault is an *Error.
func Execute(ctx context.Context, src Source, data map[string]string) (string, error) {
	t, err := compile(src)
	if err != nil {
		return "", err
	}
	out := &boundedWriter{ctx: ctx}
	if err := t.Execute(out, data); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", executionError(src, data, err)
	}
	return out.text.String(), nil
}

func compile(src Source) (*template.Template, error) {
	if len(src.Text) > maxSource {
		return nil, &Error{Template: src.Name, Problem: fmt.Sprintf("is larger than %d bytes", maxSource)}
	}
	t, err := template.New(name).Option("missingkey=error").Funcs(functions).Parse(src.Text)
	if err != nil {
		return nil, parseError(src, err)
	}
	return t, nil
}

var errTooLarge = errors.New("yields more than a Secret can hold")

// boundedWriter collects a template's output, and stops a template that yields
// too much or whose time is over.
type boundedWriter struct {
	ctx  context.Context
	text strings.Builder
}

func (w *boundedWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	if w.text.Len()+len(p) > MaxOutput {
		return 0, errTooLarge
	}
	return w.text.Write(p)
}
