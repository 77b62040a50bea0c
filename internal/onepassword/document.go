package onepassword

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"hearth/internal/manifest/edit"
	"hearth/internal/onepassword/sealed"
)

// Document is a vault file that is held in memory to be changed: its text with
// comments and layout, and what it says. Changes keep what they are not about.
// It is not for concurrent use.
type Document struct {
	path     string
	identity string
	sealed   bool
	isNew    bool
	mode     fs.FileMode
	onDisk   [sha256.Size]byte // of the file as it was read
	text     []byte
	content  Content
}

// ErrChangedMeanwhile says that somebody else wrote the vault file after it was opened.
var ErrChangedMeanwhile = errors.New("somebody else changed it meanwhile: nothing was written")

// NewDocument returns a vault file that does not exist yet; sealed says
// whether it is going to be encrypted for the recipients that its text names.
func NewDocument(path, identity string, sealed bool, text []byte) (*Document, error) {
	d := &Document{path: path, identity: identity, sealed: sealed, isNew: true, mode: 0o600}
	return d, d.SetText(text)
}

// OpenDocument reads a vault file as Load does.
func OpenDocument(path, identity string) (*Document, error) {
	// What is written later replaces the file, not a link to it.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	text, data, err := readText(path, identity)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("look at the vault file %s: %w", path, pathCause(err))
	}
	d := &Document{path: path, identity: identity, sealed: sealed.IsSealed(data), mode: info.Mode().Perm(), onDisk: sha256.Sum256(data)}
	// An encrypted file that has got a fault can still be opened, and mended.
	if err := d.SetText(text); err != nil && !d.sealed {
		return nil, err
	}
	return d, nil
}

// Format names the file, and shows nothing of its text, whatever the verb.
func (d *Document) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "vault file %s", d.path) }

// Sealed reports whether the file is encrypted.
func (d *Document) Sealed() bool { return d.sealed }

// Text returns the text of the file in clear.
func (d *Document) Text() []byte { return d.text }

// Content returns what the file says. It is read only.
func (d *Document) Content() Content { return d.content }

// SetText replaces the text. One that is no vault file's, or names nobody to
// encrypt it for, is a *FileError; Text returns it nevertheless.
func (d *Document) SetText(text []byte) error {
	d.text = text
	content, err := ParseContent(d.path, text)
	if err != nil {
		return err
	}
	if d.sealed {
		if err := sealed.CheckRecipients(content.Recipients); err != nil {
			return &FileError{File: d.path, Problem: "recipients: " + err.Error()}
		}
	}
	d.content = content
	return nil
}

// Save writes the file, mode 0600 if it is new, in one step: whoever reads it
// sees the old content or the new one. *ErrChangedMeanwhile is returned, and
// nothing written, if it is no longer what was opened.
func (d *Document) Save() error {
	if _, err := ParseContent(d.path, d.text); err != nil {
		return err
	}
	data := d.text
	if d.sealed {
		var err error
		if data, err = d.seal(); err != nil {
			return err
		}
	}
	if err := d.unchanged(); err != nil {
		return fmt.Errorf("write the vault file %s: %w", d.path, err)
	}
	if err := replaceFile(d.path, data, d.mode); err != nil {
		return fmt.Errorf("write the vault file %s: %w", d.path, pathCause(err))
	}
	d.isNew, d.onDisk = false, sha256.Sum256(data)
	return nil
}

// seal encrypts the text, and makes sure that it can be opened again.
func (d *Document) seal() ([]byte, error) {
	data, err := sealed.Seal(d.text, d.content.Recipients)
	if err != nil {
		return nil, fmt.Errorf("encrypt the vault file %s: %w", d.path, err)
	}
	identity := d.identity
	if identity == "" {
		if identity, err = sealed.DefaultIdentity(); err != nil {
			return nil, fmt.Errorf("encrypt the vault file %s: %w", d.path, err)
		}
	}
	if again, err := sealed.Open(data, maxFileSize, identity); err != nil || !bytes.Equal(again, d.text) {
		return nil, fmt.Errorf("encrypt the vault file %s: its recipients do not include the identity in %s, which could never open it again", d.path, identity)
	}
	return data, nil
}

func (d *Document) unchanged() error {
	f, err := os.Open(d.path)
	if d.isNew {
		if err == nil {
			f.Close()
			return errors.New("it exists already")
		}
		return nil
	}
	if err != nil {
		return pathCause(err)
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, io.LimitReader(f, maxFileSize+1)); err != nil {
		return pathCause(err)
	}
	if !bytes.Equal(hash.Sum(nil), d.onDisk[:]) {
		return ErrChangedMeanwhile
	}
	return nil
}

// replaceFile puts a new file in the place of an old one.
func replaceFile(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already if all went well
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// apply makes changes to the text: at once, or one after the other where they
// get in each other's way. What is written in flow style ([…], {…}) and cannot
// be changed there is written as blocks first. Why a change cannot be made is
// not told with what it was, since that may be a value.
func (d *Document) apply(edits ...edit.Edit) error {
	if len(edits) == 0 {
		return nil
	}
	if text, err := edit.Apply(d.text, edits...); err == nil {
		return d.SetText(text)
	}
	text := d.text
	for _, e := range edits {
		changed, err := edit.Apply(text, e)
		if err != nil {
			if blocks, ok := d.asBlocks(text); ok {
				changed, err = edit.Apply(blocks, e)
			}
		}
		if err != nil {
			fault := &FileError{File: d.path, Problem: "cannot be changed here by itself: change it with hearth vault edit"}
			if refusal, ok := errors.AsType[*edit.Refusal](err); ok {
				fault.Line = refusal.Place.Line
			}
			return fault
		}
		text = changed
	}
	return d.SetText(text)
}

// asBlocks returns the text in block style, if it says the same then.
func (d *Document) asBlocks(text []byte) ([]byte, bool) {
	before, err := ParseContent(d.path, text)
	if err != nil {
		return nil, false
	}
	var document yaml.Node
	if yaml.Unmarshal(text, &document) != nil || len(document.Content) == 0 {
		return nil, false
	}
	style(document.Content[0])
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if errors.Join(e.Encode(&document), e.Close()) != nil {
		return nil, false
	}
	after, err := ParseContent(d.path, out.Bytes())
	return out.Bytes(), err == nil && reflect.DeepEqual(before, after)
}

// AddVault adds a vault without items.
func (d *Document) AddVault(name string) error {
	return d.apply(edit.Insert("", 0, []string{"vaults"}, listItem(fileVault{Name: name, Items: []fileItem{}})))
}

// PutToken adds a token, in the place of one of the same name.
func (d *Document) PutToken(token Token) error {
	if err := d.RemoveToken(token.Name); err != nil {
		return err
	}
	return d.apply(edit.Insert("", 0, []string{"tokens"}, listItem(fileTokenOf(token))))
}

// RemoveToken takes a token out, if there is one of the name.
func (d *Document) RemoveToken(name string) error {
	i := slices.IndexFunc(d.content.Tokens, func(t Token) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return d.apply(edit.Remove("", 0, []string{"tokens", strconv.Itoa(i)}))
}
