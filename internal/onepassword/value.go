package onepassword

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// redacted is what a Value shows of itself.
const redacted = "[redacted]"

// Value is a secret text that shows itself to nobody: not to any verb of fmt,
// not to a logger, not to an encoder, and not from inside other values. The
// zero Value is the empty text.
type Value struct {
	// Behind a pointer, so that printing a struct that hides a Value in an
	// unexported field shows an address at most.
	text *string
}

// NewValue hides a text.
func NewValue(text string) Value { return Value{&text} }

// Reveal returns the text. Whoever calls it answers for where it goes.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// Equal reports whether two values are the same text.
func (v Value) Equal(w Value) bool { return v.Reveal() == w.Reveal() }

// String returns a placeholder.
func (v Value) String() string { return redacted }

// Format writes the placeholder, whatever the verb.
func (v Value) Format(s fmt.State, _ rune) { io.WriteString(s, redacted) } //nolint:errcheck // fmt's own buffer

// LogValue returns the placeholder.
func (v Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON refuses: a value is never written by accident.
func (v Value) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a secret value is not to be encoded")
}

// MarshalYAML refuses, too.
func (v Value) MarshalYAML() (any, error) {
	return nil, errors.New("a secret value is not to be encoded")
}

// UnmarshalJSON reads the text.
func (v *Value) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New("a value is no text")
	}
	*v = NewValue(text)
	return nil
}
