// Package report prints what a check found, and the rules themselves: as text
// for people, and in the forms that editors, forges and CI read.
//
// A printer writes nothing but what the findings hold; no file is read again,
// so that a report from the cache prints as the first one did.
package report

import (
	"fmt"
	"io"

	"hearth/internal/domain"
	"hearth/internal/rule"
)

// Options say how a report is printed.
type Options struct {
	// Colour paints text, for a terminal.
	Colour bool
	// Rules are all there are; SARIF and JUnit list those that ran.
	Rules []*rule.Rule
	// Prefix is the path from the root of the Git repository to that of the
	// homelab, "" where they are one. Forges count paths from the former.
	Prefix string
	// Version is that of Hearth.
	Version string
}

// Printer writes a report in one form.
type Printer func(io.Writer, *rule.Report, Options) error

// Forms are the names of the forms of a report, the default first.
var Forms = []string{"text", "json", "sarif", "github", "junit"}

// In returns the printer of a form, if there is one.
func In(form string) (Printer, bool) {
	p, ok := map[string]Printer{"text": Text, "json": JSON, "sarif": SARIF, "github": GitHub, "junit": JUnit}[form]
	return p, ok
}

// object names an object, or nothing.
func object(f rule.Finding) string {
	if f.Object == (domain.Ref{}) {
		return ""
	}
	return f.Object.String()
}

// count says how many there are of something.
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
