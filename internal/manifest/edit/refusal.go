package edit

import (
	"errors"
	"fmt"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// Refusal is why an edit is not made. It is an error.
type Refusal struct {
	// Edit is the one refused; it is zero where the file cannot be edited at all.
	Edit   Edit
	Place  domain.Place
	Reason string // holds no value of the file
}

// Error returns "file:line: cannot …: reason".
func (r *Refusal) Error() string {
	what := "cannot be edited"
	if r.Edit.Op != "" {
		what = "cannot " + r.Edit.String()
	}
	if !r.Place.Known() {
		return what + ": " + r.Reason
	}
	return fmt.Sprintf("%s: %s: %s", r.Place, what, r.Reason)
}

// refuse gives the reason; Apply adds edit and file.
func refuse(line int, format string, args ...any) error {
	return &Refusal{Place: domain.Place{Line: line}, Reason: fmt.Sprintf(format, args...)}
}

// about completes a refusal.
func about(e Edit, err error) error {
	var r *Refusal
	if errors.As(err, &r) {
		r.Edit, r.Place.File = e, e.File
		if r.Place.Line == 0 {
			r.Place.Line = e.Line
		}
	}
	return err
}

// unreadable refuses a file that is not valid YAML.
func unreadable(err error) error {
	p := manifest.Problems(err)[0]
	return &Refusal{Place: p.Place, Reason: p.Message}
}
