package externalsecret

import (
	"context"
	"fmt"
	"time"

	v1 "hearth/internal/api/externalsecrets/v1"
)

// fakeProvider has its values in the store object itself.
type fakeProvider struct{ data []v1.FakeProviderData }

func (p *fakeProvider) capabilities() v1.Capabilities { return v1.ReadWrite }

func (p *fakeProvider) validate(context.Context) error { return nil }

func (p *fakeProvider) value(_ context.Context, ref v1.RemoteRef, _ time.Time) ([]byte, error) {
	value, err := p.text(ref)
	if err != nil || ref.Property == "" {
		return value, err
	}
	fields, err := jsonFields(value, fmt.Sprintf("the fake value %q", ref.Key))
	if err != nil {
		return nil, err
	}
	field, ok := fields[ref.Property]
	if !ok {
		return nil, missingError(fmt.Sprintf("the fake value %q has no property %s", ref.Key, ref.Property))
	}
	return field, nil
}

func (p *fakeProvider) text(ref v1.RemoteRef) ([]byte, error) {
	for _, d := range p.data {
		if d.Key == ref.Key && d.Version == ref.Version {
			return []byte(d.Value), nil
		}
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
	for _, d := range p.data {
		if keep(d.Key) {
			out[d.Key] = []byte(d.Value)
		}
	}
	return out, nil
}
