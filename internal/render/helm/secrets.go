package helm

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// shortestSecret is the shortest text that is looked for: what is shorter
// says nothing, and would be found everywhere.
const shortestSecret = 4

// hidden is what stands where a secret stood.
const hidden = "*****"

// Secrets are texts that must not be shown. The zero value hides nothing.
type Secrets struct{ texts []string }

// Add hides a text, its lines, and its base64 and quoted forms.
func (s *Secrets) Add(text string) {
	for _, part := range append(strings.Split(text, "\n"), text) {
		part = strings.TrimSpace(part)
		if len(part) < shortestSecret {
			continue
		}
		s.texts = append(s.texts, part, base64.StdEncoding.EncodeToString([]byte(part)))
		if quoted, err := json.Marshal(part); err == nil {
			s.texts = append(s.texts, strings.Trim(string(quoted), `"`))
		}
		s.texts = append(s.texts, strings.Trim(fmt.Sprintf("%q", part), `"`))
	}
	if len(text) >= shortestSecret {
		s.texts = append(s.texts, base64.StdEncoding.EncodeToString([]byte(text)))
	}
}

func (s *Secrets) addLeaves(value any) {
	switch v := value.(type) {
	case map[string]any:
		for _, leaf := range v {
			s.addLeaves(leaf)
		}
	case []any:
		for _, leaf := range v {
			s.addLeaves(leaf)
		}
	case nil, bool:
	default:
		s.Add(fmt.Sprint(v))
	}
}

// Hide returns a text with every secret replaced.
func (s Secrets) Hide(text string) string {
	if len(s.texts) == 0 {
		return text
	}
	// Longer ones first: one secret may be part of another.
	texts := slices.Clone(s.texts)
	slices.SortFunc(texts, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	pairs := make([]string, 0, 2*len(texts))
	for _, secret := range slices.Compact(texts) {
		pairs = append(pairs, secret, hidden)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// HideError returns an error whose message shows no secret, and which still
// unwraps to err.
func (s Secrets) HideError(err error) error {
	if err == nil || s.Hide(err.Error()) == err.Error() {
		return err
	}
	return &hiddenError{s.Hide(err.Error()), err}
}

type hiddenError struct {
	message string
	err     error
}

func (e *hiddenError) Error() string { return e.message }
func (e *hiddenError) Unwrap() error { return e.err }
