package externalsecret

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// fakeProvider has its values in the store object itself, and what was pushed
// to it in memory.
type fakeProvider struct {
	settings *v1.FakeProvider
	pushed   *pushedValues
}

// pushedValues are those that were pushed to a fake store, by their keys.
type pushedValues struct {
	mu  sync.Mutex
	of  map[string][]byte
	sum int // bytes
}

// maxPushed bounds what a fake store keeps, in bytes.
const maxPushed = 16 << 20

func (v *pushedValues) get(key string) ([]byte, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	value, ok := v.of[key]
	return value, ok
}

func (v *pushedValues) set(key string, value []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	sum := v.sum - len(v.of[key]) + len(value)
	if sum > maxPushed {
		return fmt.Errorf("the fake store keeps no more than %d MiB", maxPushed>>20)
	}
	v.of[key], v.sum = value, sum
	return nil
}

func (v *pushedValues) delete(key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sum -= len(v.of[key])
	delete(v.of, key)
}

// copyTo adds the values whose keys are kept to others.
func (v *pushedValues) copyTo(out map[string][]byte, keep func(string) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key, value := range v.of {
		if keep(key) {
			out[key] = value
		}
	}
}

func (p *fakeProvider) capabilities() v1.Capabilities { return v1.ReadWrite }

// validate comes to what the store says.
func (p *fakeProvider) validate(context.Context) error {
	if r := p.settings.ValidationResult; r != nil && *r > 1 {
		return errors.New("the fake store is told by validationResult to be invalid")
	}
	return nil
}

func (p *fakeProvider) value(_ context.Context, ref v1.RemoteRef, _ time.Time) ([]byte, error) {
	value, err := p.text(ref)
	if err != nil || ref.Property == "" {
		return value, err
	}
	if _, err := jsonFields(value, fmt.Sprintf("the fake value %q", ref.Key)); err != nil {
		return nil, err
	}
	field, ok := jsonPath(value, ref.Property)
	if !ok {
		return nil, missingError(fmt.Sprintf("the fake value %q has no property %s", ref.Key, ref.Property))
	}
	return field, nil
}

func (p *fakeProvider) text(ref v1.RemoteRef) ([]byte, error) {
	for _, d := range p.settings.Data {
		if d.Key == ref.Key && d.Version == ref.Version {
			return []byte(d.Value), nil
		}
	}
	if value, ok := p.pushed.get(ref.Key); ok && ref.Version == "" {
		return value, nil
	}
	return nil, missingError(fmt.Sprintf("the fake store has no value %q of version %q", ref.Key, ref.Version))
}

func (p *fakeProvider) fields(ctx context.Context, ref v1.RemoteRef, since time.Time) (map[string][]byte, error) {
	value, err := p.value(ctx, ref, since)
	if err != nil {
		return nil, err
	}
	return jsonFields(value, fmt.Sprintf("the fake value %q", ref.Key))
}

func (p *fakeProvider) find(_ context.Context, f v1.Find, _ time.Time) (map[string][]byte, error) {
	keep, err := nameFilter(f.Name)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	p.pushed.copyTo(out, keep)
	for _, d := range p.settings.Data {
		if keep(d.Key) {
			out[d.Key] = []byte(d.Value)
		}
	}
	return out, nil
}
