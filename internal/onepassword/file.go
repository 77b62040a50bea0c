package onepassword

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Bounds of a vault file.
const (
	maxFileSize = 32 << 20
	maxItems    = 50_000
	maxFields   = 2_000
)

// FileError is a fault in a vault file. It cites nothing of the file.
type FileError struct {
	File    string
	Line    int // 0 where unknown
	Problem string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("vault file %s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("vault file %s:%d: %s", e.File, e.Line, e.Problem)
}

// ReadFile reads a vault file.
func ReadFile(path string) ([]Vault, error) {
	f, err := os.Open(path)
	if err != nil {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err
		}
		return nil, fmt.Errorf("open the vault file %s: %w", path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the vault file %s: %w", path, err)
	}
	return Parse(path, data)
}

// Parse reads the content of a vault file; name is the file's name in errors,
// all of which are a *FileError:
//
//	vaults:
//	  - name: Kubernetes
//	    items:
//	      - title: immich
//	        fields:
//	          - {label: DB_PASSWORD, value: ...}
//
// Vaults, items, fields and files may have an id; items a category and tags,
// fields a section and a type. A file has a name and its content, or base64.
// Titles and labels may occur more than once, as in life. Ids that are not
// given are derived from the names.
func Parse(name string, data []byte) ([]Vault, error) {
	r := reader{file: name}
	if len(data) > maxFileSize {
		return nil, r.fault(nil, fmt.Sprintf("is larger than %d MiB", maxFileSize>>20))
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, r.syntax(err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	var vaults []Vault
	err := r.mapping(doc.Content[0], "a vault file has vaults", map[string]entry{
		"vaults": func(n *yaml.Node) error {
			return r.each(n, func(i int, n *yaml.Node) error {
				v, err := r.vault(i, n)
				vaults = append(vaults, v)
				return err
			})
		},
	})
	if err != nil {
		return nil, err
	}
	return vaults, nil
}

// reader reads the nodes of one file.
type reader struct {
	file  string
	items int
}

// entry reads the value of one key.
type entry func(*yaml.Node) error

func (r *reader) fault(n *yaml.Node, problem string) error {
	e := &FileError{File: r.file, Problem: problem}
	if n != nil {
		e.Line = n.Line
	}
	return e
}

var yamlLine = regexp.MustCompile(`\bline (\d+)`)

// syntax tells the line of a YAML error and nothing else of it: the rest may
// cite a value.
func (r *reader) syntax(err error) error {
	e := &FileError{File: r.file, Problem: "is no valid YAML"}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
	}
	return e
}

// mapping reads a mapping with the given keys, and no others.
func (r *reader) mapping(n *yaml.Node, allowed string, entries map[string]entry) error {
	if n.Kind != yaml.MappingNode {
		return r.fault(n, "a mapping is expected: "+allowed)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, ok := entries[key.Value]
		switch {
		case !ok || key.Kind != yaml.ScalarNode:
			return r.fault(key, "unknown key: "+allowed)
		case seen[key.Value]:
			return r.fault(key, "the key "+key.Value+" is given twice")
		}
		seen[key.Value] = true
		if value.Tag == "!!null" {
			continue
		}
		if err := read(value); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) each(n *yaml.Node, read func(int, *yaml.Node) error) error {
	if n.Kind != yaml.SequenceNode {
		return r.fault(n, "a list is expected")
	}
	for i, child := range n.Content {
		if err := read(i, child); err != nil {
			return err
		}
	}
	return nil
}

// text reads a scalar as it is written, whatever type YAML would give it.
func (r *reader) text(into *string) entry {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode {
			return r.fault(n, "a text is expected (put it in quotes)")
		}
		*into = n.Value
		return nil
	}
}

func (r *reader) secret(into *Value) entry {
	return func(n *yaml.Node) error {
		var text string
		if err := r.text(&text)(n); err != nil {
			return err
		}
		*into = NewValue(text)
		return nil
	}
}

func (r *reader) vault(index int, n *yaml.Node) (Vault, error) {
	var v Vault
	var items *yaml.Node
	err := r.mapping(n, "a vault has name, id, items", map[string]entry{
		"name": r.text(&v.Name), "id": r.text(&v.ID),
		"items": func(n *yaml.Node) error { items = n; return nil },
	})
	switch {
	case err != nil:
		return v, err
	case v.Name == "":
		return v, r.fault(n, "a vault needs a name")
	case v.ID == "":
		v.ID = MakeID("vault", v.Name, strconv.Itoa(index))
	case !IsID(v.ID):
		return v, r.fault(n, "the vault's id is not 26 lower-case letters and digits")
	}
	if items == nil {
		return v, nil
	}
	return v, r.each(items, func(i int, n *yaml.Node) error {
		item, err := r.item(v.ID, i, n)
		v.Items = append(v.Items, item)
		return err
	})
}

func (r *reader) item(vaultID string, index int, n *yaml.Node) (Item, error) {
	item := Item{VaultID: vaultID, Category: "LOGIN"}
	err := r.mapping(n, "an item has title, id, category, tags, fields, files", map[string]entry{
		"title": r.text(&item.Title), "id": r.text(&item.ID), "category": r.text(&item.Category),
		"tags": func(n *yaml.Node) error {
			return r.each(n, func(_ int, n *yaml.Node) error {
				var tag string
				err := r.text(&tag)(n)
				item.Tags = append(item.Tags, tag)
				return err
			})
		},
		"fields": func(n *yaml.Node) error {
			return r.each(n, func(i int, n *yaml.Node) error {
				f, err := r.field(i, n)
				item.Fields = append(item.Fields, f)
				return err
			})
		},
		"files": func(n *yaml.Node) error {
			return r.each(n, func(_ int, n *yaml.Node) error {
				f, err := r.attachment(n)
				item.Files = append(item.Files, f)
				return err
			})
		},
	})
	r.items++
	switch {
	case err != nil:
		return item, err
	case item.Title == "":
		return item, r.fault(n, "an item needs a title")
	case r.items > maxItems:
		return item, r.fault(n, fmt.Sprintf("there are more than %d items", maxItems))
	case len(item.Fields) > maxFields || len(item.Files) > maxFields:
		return item, r.fault(n, fmt.Sprintf("the item has more than %d fields or files", maxFields))
	case item.ID == "":
		item.ID = MakeID("item", vaultID, item.Title, strconv.Itoa(index))
	case !IsID(item.ID):
		return item, r.fault(n, "the item's id is not 26 lower-case letters and digits")
	}
	for i := range item.Files {
		f := &item.Files[i]
		if f.ID == "" {
			f.ID = MakeID("file", item.ID, f.Name, strconv.Itoa(i))
		}
	}
	return item, nil
}

func (r *reader) field(index int, n *yaml.Node) (Field, error) {
	f := Field{Type: "CONCEALED"}
	err := r.mapping(n, "a field has label, value, id, section, type", map[string]entry{
		"label": r.text(&f.Label), "value": r.secret(&f.Value), "id": r.text(&f.ID),
		"section": r.text(&f.Section), "type": r.text(&f.Type),
	})
	if err == nil && f.Label == "" {
		err = r.fault(n, "a field needs a label")
	}
	if f.ID == "" {
		f.ID = MakeID("field", f.Section, f.Label, strconv.Itoa(index))
	}
	return f, err
}

func (r *reader) attachment(n *yaml.Node) (File, error) {
	var f File
	var encoded string
	err := r.mapping(n, "a file has name, content or base64, id, section", map[string]entry{
		"name": r.text(&f.Name), "content": r.secret(&f.Content), "base64": r.text(&encoded),
		"id": r.text(&f.ID), "section": r.text(&f.Section),
	})
	if err != nil {
		return f, err
	}
	if f.Name == "" {
		return f, r.fault(n, "a file needs a name")
	}
	if f.ID != "" && !IsID(f.ID) {
		return f, r.fault(n, "the file's id is not 26 lower-case letters and digits")
	}
	if encoded != "" {
		data, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return f, r.fault(n, "the file's base64 is not base64")
		}
		f.Content = NewValue(string(data))
	}
	f.Size = len(f.Content.Reveal())
	return f, nil
}
