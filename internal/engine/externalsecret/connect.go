package externalsecret

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/onepassword"
)

// connectProvider reads from a Connect server.
type connectProvider struct {
	client    *onepassword.Client
	name      string // of the provider that the store names
	host      string // as the store says
	available func(ctx context.Context, host string) error
}

func (p *connectProvider) capabilities() v1.Capabilities {
	if p.name == "onepassword" {
		return v1.ReadWrite
	}
	return v1.ReadOnly
}

func (p *connectProvider) validate(ctx context.Context) error {
	if err := p.reachable(ctx); err != nil {
		return err
	}
	return p.client.Check(ctx)
}

func (p *connectProvider) reachable(ctx context.Context) error {
	if p.available == nil {
		return nil
	}
	if err := p.available(ctx, p.host); err != nil {
		return &onepassword.UnreachableError{URL: p.host, Err: err}
	}
	return nil
}

func (p *connectProvider) item(ctx context.Context, title string, since time.Time) (*onepassword.Item, error) {
	if err := p.reachable(ctx); err != nil {
		return nil, err
	}
	return p.client.Item(ctx, title, since)
}

func (p *connectProvider) value(ctx context.Context, ref v1.RemoteRef, since time.Time) ([]byte, error) {
	title, property := ref.Key, ref.Property
	if p.name != "onepassword" {
		title, property = onepassword.Reference(p.name, ref.Key, ref.Property)
	}
	item, err := p.item(ctx, title, since)
	if err != nil {
		return nil, err
	}
	if ref.MetadataPolicy == v1.MetadataFetch {
		return metadata(item, ref.Property)
	}
	if item.IsFile(property) {
		return p.file(ctx, item, property)
	}
	f, err := item.Lookup(property)
	if err != nil {
		return nil, err
	}
	return []byte(f.Value.Reveal()), nil
}

func (p *connectProvider) file(ctx context.Context, item *onepassword.Item, property string) ([]byte, error) {
	f, err := item.LookupFile(property)
	if err != nil {
		return nil, err
	}
	content, err := p.client.Content(ctx, item, f)
	if err != nil {
		return nil, err
	}
	return []byte(content.Reveal()), nil
}

// metadata returns what is known of an item beside its values: its tags, by
// the property "tags" or as a mapping.
func metadata(item *onepassword.Item, property string) ([]byte, error) {
	tags := item.Tags
	if tags == nil {
		tags = []string{}
	}
	switch property {
	case "tags":
		return json.Marshal(tags)
	case "":
		return json.Marshal(map[string]any{"title": item.Title, "category": item.Category, "tags": tags})
	}
	return nil, missingError(fmt.Sprintf("1Password item %q has no metadata %s", item.Title, property))
}

func (p *connectProvider) fields(ctx context.Context, ref v1.RemoteRef, since time.Time) (map[string][]byte, error) {
	title := ref.Key
	if p.name == "onepasswordSDK" {
		title, _ = onepassword.Reference(p.name, ref.Key, onepassword.DefaultField)
	}
	item, err := p.item(ctx, title, since)
	if err != nil {
		return nil, err
	}
	if item.Category == onepassword.CategoryDocument {
		return p.files(ctx, item, ref.Property)
	}
	if ref.Property != "" {
		f, err := item.Lookup(ref.Property)
		if err != nil {
			return nil, err
		}
		return map[string][]byte{f.Label: []byte(f.Value.Reveal())}, nil
	}
	return allFields(item, func(string) bool { return true })
}

func (p *connectProvider) files(ctx context.Context, item *onepassword.Item, property string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, f := range item.Files {
		if property != "" && f.Name != property {
			continue
		}
		content, err := p.client.Content(ctx, item, f)
		if err != nil {
			return nil, err
		}
		out[f.Name] = []byte(content.Reveal())
	}
	if len(out) == 0 {
		return nil, &onepassword.NoFileError{Item: item.Title, File: property}
	}
	return out, nil
}

// allFields returns the fields whose labels are kept. Two of one label cannot
// be told apart.
func allFields(item *onepassword.Item, keep func(label string) bool) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, f := range item.Fields {
		if f.Label == "" || !keep(f.Label) {
			continue
		}
		if _, twice := out[f.Label]; twice {
			return nil, fmt.Errorf("the 1Password item %q has more than one field %q: rename all but one", item.Title, f.Label)
		}
		out[f.Label] = []byte(f.Value.Reveal())
	}
	return out, nil
}

// find looks through the fields of all items, or of those that the path names
// and that have all the tags.
func (p *connectProvider) find(ctx context.Context, f v1.Find, since time.Time) (map[string][]byte, error) {
	keep, err := nameFilter(f.Name)
	if err != nil {
		return nil, err
	}
	if err := p.reachable(ctx); err != nil {
		return nil, err
	}
	items, err := p.client.List(ctx, since)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, summary := range items {
		if f.Path != nil && summary.Title != *f.Path || !hasTags(summary, f.Tags) {
			continue
		}
		item, err := p.client.Full(ctx, summary, since)
		if err != nil {
			return nil, err
		}
		fields, err := allFields(item, keep)
		if err != nil {
			return nil, err
		}
		for label, value := range fields {
			if _, first := out[label]; !first {
				out[label] = value
			}
		}
	}
	return out, nil
}

func hasTags(item *onepassword.Item, tags map[string]string) bool {
	for tag := range tags {
		if !slices.Contains(item.Tags, tag) {
			return false
		}
	}
	return true
}

// nameFilter returns what a name's regular expression lets pass.
func nameFilter(name *v1.FindName) (func(string) bool, error) {
	if name == nil {
		return func(string) bool { return true }, nil
	}
	re, err := regexp.Compile(name.RegExp)
	if err != nil {
		return nil, fmt.Errorf("find.name.regexp %q is no regular expression: %w", name.RegExp, err)
	}
	return re.MatchString, nil
}
