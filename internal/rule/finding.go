package rule

import (
	"fmt"

	"hearth/internal/domain"
	"hearth/internal/manifest/edit"
)

// Severity says how bad a finding is.
type Severity int

// The severities. Only errors make check fail.
const (
	Info Severity = iota + 1
	Warning
	Error
)

// String returns info, warning or error.
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("Severity(%d)", int(s))
}

// Finding is what a rule found at one place.
type Finding struct {
	Rule     string
	Severity Severity
	Place    domain.Place
	// Text is what to point at on the line of the place; empty means the whole
	// line. It must not be a secret's value.
	Text   string
	Object domain.Ref
	// Message is one sentence without a full stop: what is wrong, and what
	// would happen. It never holds a secret's value.
	Message string
	// Gist tells the finding from others like it where the message also tells
	// what changes beside it, such as counts; empty means the message.
	Gist string
	// Fix says what to write instead, where that is known.
	Fix string
	// Edits put it right; none where that is not safe to do blindly.
	Edits []edit.Edit
	// Sensitive says that the line of the place may hold a secret's value, so
	// that reports do not show it. The lines of a Secret never are shown.
	Sensitive bool

	// The rest is filled in by the run.

	// Column counts characters on the line from 1; 0 where the line is not known.
	Column int
	// Excerpt is the line of the place.
	Excerpt Excerpt
	// Fixable says that check --fix can put it right.
	Fixable bool
}

// ParseSeverity reads what String returns.
func ParseSeverity(text string) (Severity, bool) {
	for _, s := range []Severity{Info, Warning, Error} {
		if s.String() == text {
			return s, true
		}
	}
	return 0, false
}
