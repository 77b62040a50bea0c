package secrets

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/manifest"
	"hearth/internal/onepassword"
)

// LockFile is the name of the lock at a repository's root.
const LockFile = ".hearth-secrets.lock"

// lockVersion changes with what a lock means.
const lockVersion = 1

// maxLocked bounds the items of a lock.
const maxLocked = 20_000

// Lock is what vaults had, by cluster, when they were last looked at: the items
// that the repository names, with the names of all their fields. It holds no value.
type Lock struct {
	Clusters map[string][]onepassword.Vault
}

// The types below are the YAML of a lock.

type lockText struct {
	Version  int                    `yaml:"version"`
	Clusters map[string][]lockVault `yaml:"clusters"`
}

type lockVault struct {
	Vault string     `yaml:"vault"`
	ID    string     `yaml:"id,omitempty"`
	Items []lockItem `yaml:"items"`
}

type lockItem struct {
	Item     string      `yaml:"item"`
	ID       string      `yaml:"id,omitempty"`
	Document bool        `yaml:"document,omitempty"`
	Tags     []string    `yaml:"tags,omitempty"`
	Fields   []lockField `yaml:"fields,omitempty"`
	Files    []string    `yaml:"files,omitempty"`
}

// lockField is written as its label alone where there is no more to say.
type lockField struct {
	Label   string `yaml:"label"`
	Section string `yaml:"section,omitempty"`
	ID      string `yaml:"id,omitempty"`
}

func (f lockField) MarshalYAML() (any, error) {
	if f.Section == "" && f.ID == "" {
		return f.Label, nil
	}
	type plain lockField
	return plain(f), nil
}

func (f *lockField) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*f = lockField{Label: n.Value}
		return nil
	}
	type plain lockField
	return n.Decode((*plain)(f))
}

// ReadLock reads the lock of the repository at a root; nil where it has none.
func ReadLock(root string) (*Lock, error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("open the repository %s to read its %s: %w", root, LockFile, err)
	}
	defer dir.Close()
	if _, err := dir.Lstat(LockFile); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	data, err := manifest.Read(dir, LockFile)
	if err != nil {
		return nil, err
	}
	return ParseLock(data)
}

// ParseLock reads the text of a lock.
func ParseLock(data []byte) (*Lock, error) {
	var text lockText
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&text); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is no lock (%s): write it anew with hearth secrets lock", LockFile, strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "\n", " "))
	}
	if text.Version != lockVersion {
		return nil, fmt.Errorf("%s has the version %d, and this hearth reads %d: write it anew with hearth secrets lock", LockFile, text.Version, lockVersion)
	}
	lock := &Lock{Clusters: map[string][]onepassword.Vault{}}
	count := 0
	for _, name := range slices.Sorted(maps.Keys(text.Clusters)) {
		vaults := []onepassword.Vault{}
		for _, v := range text.Clusters[name] {
			vaults = append(vaults, v.vault())
			count += len(v.Items)
		}
		lock.Clusters[name] = vaults
	}
	if count > maxLocked {
		return nil, fmt.Errorf("%s lists more than %d items", LockFile, maxLocked)
	}
	return lock, nil
}

func (v lockVault) vault() onepassword.Vault {
	out := onepassword.Vault{ID: cmp.Or(v.ID, madeID(v.Vault)), Name: v.Vault}
	for i, item := range v.Items {
		id := cmp.Or(item.ID, onepassword.MakeID("item", v.Vault, item.Item, fmt.Sprint(i)))
		read := onepassword.Item{ID: id, Title: item.Item, VaultID: out.ID, Category: "LOGIN", Tags: item.Tags}
		if item.Document {
			read.Category = onepassword.CategoryDocument
		}
		for _, f := range item.Fields {
			read.Fields = append(read.Fields, onepassword.Field{ID: f.ID, Label: f.Label, Section: f.Section})
		}
		for j, name := range item.Files {
			read.Files = append(read.Files, onepassword.File{ID: onepassword.MakeID("file", id, fmt.Sprint(j)), Name: name})
		}
		out.Items = append(out.Items, read)
	}
	return out
}

// madeID is the id of a vault whose own the lock does not tell.
func madeID(vault string) string { return onepassword.MakeID("vault", vault) }

// lockHeader says what the file is to whoever opens it.
const lockHeader = `# The items and fields that the vaults had when they were last looked at: names
# only, no values. Written by "hearth secrets lock" and "hearth secrets verify".
`

// Text returns the lock as it is written.
func (l *Lock) Text() ([]byte, error) {
	text := lockText{Version: lockVersion, Clusters: map[string][]lockVault{}}
	for name, vaults := range l.Clusters {
		list := []lockVault{}
		for _, v := range vaults {
			list = append(list, textOf(v))
		}
		slices.SortFunc(list, func(a, b lockVault) int { return strings.Compare(a.Vault, b.Vault) })
		text.Clusters[name] = list
	}
	var b bytes.Buffer
	b.WriteString(lockHeader)
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(text), encoder.Close()); err != nil {
		return nil, fmt.Errorf("write %s: %w", LockFile, err)
	}
	return b.Bytes(), nil
}

func textOf(v onepassword.Vault) lockVault {
	out := lockVault{Vault: v.Name}
	if v.ID != madeID(v.Name) {
		out.ID = v.ID
	}
	for _, item := range v.Items {
		written := lockItem{Item: item.Title, ID: item.ID, Document: item.Category == onepassword.CategoryDocument, Tags: slices.Sorted(slices.Values(item.Tags))}
		for _, f := range item.Fields {
			written.Fields = append(written.Fields, lockField{f.Label, f.Section, f.ID})
		}
		for _, f := range item.Files {
			written.Files = append(written.Files, f.Name)
		}
		slices.SortFunc(written.Fields, func(a, b lockField) int {
			return cmp.Or(strings.Compare(a.Label, b.Label), strings.Compare(a.Section, b.Section), strings.Compare(a.ID, b.ID))
		})
		slices.Sort(written.Files)
		out.Items = append(out.Items, written)
	}
	slices.SortFunc(out.Items, func(a, b lockItem) int {
		return cmp.Or(strings.Compare(a.Item, b.Item), strings.Compare(a.ID, b.ID))
	})
	return out
}

// Write writes the lock into the repository at a root, as a whole or not at
// all, and reports whether it is another one than before.
func (l *Lock) Write(root string) (changed bool, err error) {
	data, err := l.Text()
	if err != nil {
		return false, err
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return false, fmt.Errorf("open the repository %s to write its %s: %w", root, LockFile, err)
	}
	defer dir.Close()
	if old, err := manifest.Read(dir, LockFile); err == nil && bytes.Equal(old, data) {
		return false, nil
	}
	const next = LockFile + ".new"
	err = dir.WriteFile(next, data, 0o644)
	if err == nil {
		err = dir.Rename(next, LockFile)
	}
	if err != nil {
		return false, fmt.Errorf("write %s in %s: %w", LockFile, root, err)
	}
	return true, nil
}
