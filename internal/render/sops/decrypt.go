package sops

import (
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"hearth/internal/manifest"
)

const (
	// maxSize bounds content, in bytes, as in Flux.
	maxSize = 5 << 20
	// maxDepth bounds how deep values may be nested.
	maxDepth = 500
)

// ErrMAC says that values were added, removed or moved since SOPS wrote them.
var ErrMAC = errors.New("the checksum over all values does not fit: the content was changed since SOPS wrote it")

// Content is what is to be decrypted.
type Content struct {
	Data []byte
	// In is the format of Data, Out that of what comes out.
	In, Out Format
	// Passed says that Data is not as SOPS wrote it, since something added
	// values or changed their order. Each value is authenticated all the same.
	Passed bool
}

// Plain is decrypted content.
type Plain struct {
	Data []byte
	// Values are those that were decrypted, and their lines. They are secret.
	Values []string
}

// Decrypt decrypts content. Its error holds neither values nor keys.
func (k *Keys) Decrypt(c Content) (Plain, error) {
	if len(c.Data) > maxSize {
		return Plain{}, fmt.Errorf("the content has %d bytes; more than %d are not decrypted", len(c.Data), maxSize)
	}
	if !utf8.Valid(c.Data) {
		return Plain{}, fmt.Errorf("the content is no UTF-8, which encrypted %s always is", c.In)
	}
	// Only what YAML's aliases may do to a content is told with its place.
	if err := manifest.CheckBounds("", c.Data); err != nil && c.In == YAML {
		return Plain{}, errors.New("the content is larger than it looks, or contains itself")
	}
	branches, about, err := formats[c.In].read(c.Data)
	if err != nil {
		return Plain{}, fmt.Errorf("read it as encrypted %s: %w", c.In, err)
	}
	r, err := about.rule()
	if err != nil {
		return Plain{}, err
	}
	key, err := k.dataKey(about)
	if err != nil {
		return Plain{}, err
	}
	d := &decryption{key: key, onlyEncrypted: about.MACOnlyEncrypted, sum: sha512.New()}
	if d.onlyEncrypted {
		d.sum.Write(onlyEncryptedSeed)
	}
	w := &walker{rule: r, visit: d.visit}
	for _, branch := range branches {
		if err := w.mapping(branch, 0); err != nil {
			return Plain{}, err
		}
	}
	if !c.Passed {
		if err := d.verify(about); err != nil {
			return Plain{}, err
		}
	}
	out, err := formats[c.Out].write(branches)
	if err != nil {
		return Plain{}, fmt.Errorf("write it as %s: %w", c.Out, err)
	}
	return Plain{Data: out, Values: d.values}, nil
}

// verify compares the checksum of all values with the one in the metadata.
func (d *decryption) verify(about *metadata) error {
	noted, err := decryptValue(about.MAC, d.key, about.LastModified)
	if err != nil {
		return fmt.Errorf("read the checksum over all values: %w", err)
	}
	expected, _ := noted.(string)
	actual := fmt.Sprintf("%X", d.sum.Sum(nil))
	if subtle.ConstantTimeCompare([]byte(expected), []byte(actual)) != 1 {
		return ErrMAC
	}
	return nil
}

// collect keeps a value that was decrypted, and the lines of a longer one,
// since a message may cite any of them.
func (d *decryption) collect(value string) {
	const short = 4 // what is shorter stands in every other message
	if len(value) < short {
		return
	}
	d.values = append(d.values, value)
	if !strings.Contains(value, "\n") {
		return
	}
	for line := range strings.Lines(value) {
		if line = strings.TrimSpace(line); len(line) >= short {
			d.values = append(d.values, line)
		}
	}
}
