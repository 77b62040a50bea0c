package helmrelease

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/fluxcd/pkg/apis/meta"

	"hearth/internal/render/helm"
)

// composeValues merges what valuesFrom names and the spec's own values.
func (s *step) composeValues(ctx context.Context) error {
	refs := s.hr.Spec.ValuesFrom
	values, err := helm.Compose(ctx, s.hr.GetValues(), refs, s.reader)
	if err != nil {
		return valuesError{err}
	}
	s.values, s.applied = values, values.Map
	secret := func(ref meta.ValuesReference) bool { return ref.Kind == "Secret" }
	if slices.ContainsFunc(refs, secret) {
		open, err := helm.Compose(ctx, s.hr.GetValues(), slices.DeleteFunc(slices.Clone(refs), secret), s.reader)
		if err != nil {
			return valuesError{err}
		}
		s.applied, _ = s.sealed(values.Map, open.Map).(map[string]any)
	}
	s.configDigest, err = digestOfValues(values.Map)
	return err
}

// sealed returns values with each leaf replaced by a digest that is another one
// than it would be without Secrets.
func (s *step) sealed(value, open any) any {
	switch v := value.(type) {
	case map[string]any:
		sealed := make(map[string]any, len(v))
		below, _ := open.(map[string]any)
		for key, item := range v {
			sealed[key] = s.sealed(item, below[key])
		}
		return sealed
	case []any:
		sealed := make([]any, len(v))
		below, _ := open.([]any)
		for i, item := range v {
			var other any
			if i < len(below) {
				other = below[i]
			}
			sealed[i] = s.sealed(item, other)
		}
		return sealed
	}
	if text := fmt.Sprint(value); value != nil && (open == nil || fmt.Sprint(open) != text || s.values.Secrets.Hide(text) != text) {
		// With the HelmRelease's own mark, so that equal secrets do not look equal.
		sum := sha256.Sum256([]byte(string(s.hr.UID) + "\x00" + text))
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return value
}

// valuesAnnotation is where an event carries the values that were applied.
const valuesAnnotation = "hearth.dev/values"

// maxShownValues bounds the values that an event carries, in bytes of JSON.
const maxShownValues = 16 << 10

// shownValues are the applied values as JSON, or nothing where they are too many.
func (s *step) shownValues() string {
	content, err := json.Marshal(s.applied)
	if err != nil || len(content) > maxShownValues {
		return ""
	}
	return string(content)
}
