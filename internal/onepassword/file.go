package onepassword

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	"hearth/internal/onepassword/sealed"
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

// Content is what a vault file holds.
type Content struct {
	Vaults []Vault
	// Tokens say who may read the vaults over the Connect API.
	Tokens []Token
	// Recipients are the age recipients that the file is encrypted for.
	Recipients []string
}

// ReadFile reads the vaults of a vault file, as Load does with the identity
// that is meant where none is named.
func ReadFile(path string) ([]Vault, error) {
	content, err := Load(path, "")
	return content.Vaults, err
}

// Load reads a vault file. One that is encrypted with age is opened with the
// identities in the file that identity names; empty is
// [sealed.DefaultIdentity].
func Load(path, identity string) (Content, error) {
	text, _, err := readText(path, identity)
	if err != nil {
		return Content{}, err
	}
	return ParseContent(path, text)
}

// readText returns the text of a vault file, and the bytes as they stand on disk.
func readText(path, identity string) (text, data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("open the vault file %s: %w", path, pathCause(err))
	}
	defer f.Close()
	data, err = io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the vault file %s: %w", path, pathCause(err))
	}
	if !sealed.IsSealed(data) {
		return data, data, nil
	}
	if len(data) > maxFileSize {
		return nil, nil, &FileError{File: path, Problem: fmt.Sprintf("is larger than %d MiB", maxFileSize>>20)}
	}
	if identity == "" {
		if identity, err = sealed.DefaultIdentity(); err != nil {
			return nil, nil, fmt.Errorf("open the vault file %s: %w", path, err)
		}
	}
	text, err = sealed.Open(data, maxFileSize, identity)
	if err != nil {
		return nil, nil, fmt.Errorf("open the vault file %s: %w", path, err)
	}
	return text, data, nil
}

// pathCause leaves out what the sentence around an error says already.
func pathCause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Parse reads the vaults of a vault file's text, as ParseContent does.
func Parse(name string, data []byte) ([]Vault, error) {
	content, err := ParseContent(name, data)
	return content.Vaults, err
}

// ParseContent reads the text of a vault file; name is the file's name in
// errors, all of which are a *FileError:
//
//	vaults:
//	  - name: Kubernetes
//	    items:
//	      - title: immich
//	        fields:
//	          - {label: DB_PASSWORD, value: ...}
//	recipients: [age1...]
//	tokens:
//	  - {name: external-secrets, sha256: ..., vaults: [Kubernetes]}
//
// Vaults, items, fields and files may have an id; items a category, tags, urls,
// favorite, version, created and updated, fields a section, a type and a
// purpose. A file has a name and its content, or base64. Titles and labels may
// occur more than once, as in life. Ids that are not given are derived from the
// names, and do not change when something else is added or goes.
func ParseContent(name string, data []byte) (Content, error) {
	r := reader{file: name, ids: map[string]bool{}}
	if len(data) > maxFileSize {
		return Content{}, r.fault(nil, fmt.Sprintf("is larger than %d MiB", maxFileSize>>20))
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return Content{}, r.syntax(err)
	}
	var content Content
	if len(doc.Content) == 0 {
		return content, nil
	}
	names := occurrences{}
	err := r.mapping(doc.Content[0], "a vault file has vaults, recipients, tokens", map[string]entry{
		"vaults": func(n *yaml.Node) error {
			return r.each(n, func(n *yaml.Node) error {
				v, err := r.vault(names, n)
				content.Vaults = append(content.Vaults, v)
				return err
			})
		},
		"recipients": r.texts(&content.Recipients),
		"tokens": func(n *yaml.Node) error {
			return r.each(n, func(n *yaml.Node) error {
				token, err := r.token(n)
				content.Tokens = append(content.Tokens, token)
				return err
			})
		},
	})
	if err != nil {
		return Content{}, err
	}
	return content, nil
}

// occurrences counts names, so that ids that derive from them differ.
type occurrences map[string]int

func (o occurrences) next(name string) string {
	o[name]++
	return strconv.Itoa(o[name] - 1)
}

// reader reads the nodes of one file.
type reader struct {
	file  string
	items int
	ids   map[string]bool // of vaults and items
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

func (r *reader) each(n *yaml.Node, read func(*yaml.Node) error) error {
	if n.Kind != yaml.SequenceNode {
		return r.fault(n, "a list is expected")
	}
	for _, child := range n.Content {
		if err := read(child); err != nil {
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

func (r *reader) texts(into *[]string) entry {
	return func(n *yaml.Node) error {
		return r.each(n, func(n *yaml.Node) error {
			var text string
			err := r.text(&text)(n)
			*into = append(*into, text)
			return err
		})
	}
}

// value reads a scalar that is not secret into what YAML makes of it.
func (r *reader) value(into any, expected string) entry {
	return func(n *yaml.Node) error {
		if n.Decode(into) != nil {
			return r.fault(n, expected+" is expected")
		}
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
