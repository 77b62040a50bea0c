// Package sealed keeps a text encrypted with age (https://age-encryption.org)
// for a set of recipients, and opens it with the identity of one of them.
//
// An identity stands in a file of its own, which nobody but its owner may
// read. Text that was opened is held in memory only; errors cite neither it
// nor the identity.
package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// Bounds of what is read.
const (
	maxIdentities = 64 << 10
	maxRecipients = 100
)

// binaryHeader is what an age file begins with that is not armored.
const binaryHeader = "age-encryption.org/v1\n"

// IsSealed reports whether data is an age file, armored or not.
func IsSealed(data []byte) bool {
	return bytes.HasPrefix(data, []byte(binaryHeader)) || bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte(armor.Header))
}

// Seal encrypts text for recipients (age1…), armored.
func Seal(text []byte, recipients []string) ([]byte, error) {
	parsed, err := parseRecipients(recipients)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	armored := armor.NewWriter(&out)
	w, err := age.Encrypt(armored, parsed...)
	if err != nil {
		return nil, fmt.Errorf("encrypt for the recipients: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	if err := errors.Join(w.Close(), armored.Close()); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return out.Bytes(), nil
}

func parseRecipients(recipients []string) ([]age.Recipient, error) {
	switch {
	case len(recipients) == 0:
		return nil, errors.New("there is no recipient to encrypt for")
	case len(recipients) > maxRecipients:
		return nil, fmt.Errorf("there are more than %d recipients", maxRecipients)
	}
	var parsed []age.Recipient
	for _, r := range recipients {
		one, err := parseRecipient(r)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, one)
	}
	return parsed, nil
}

func parseRecipient(text string) (age.Recipient, error) {
	// An identity that stands where a recipient belongs is not cited.
	if strings.HasPrefix(strings.ToUpper(text), "AGE-SECRET-KEY-") {
		return nil, errors.New("an age identity stands where a recipient (age1…) belongs: never give it away")
	}
	if strings.HasPrefix(text, "age1pq1") {
		if r, err := age.ParseHybridRecipient(text); err == nil {
			return r, nil
		}
	}
	r, err := age.ParseX25519Recipient(text)
	if err != nil {
		return nil, fmt.Errorf("%.80q is no age recipient (age1…)", text)
	}
	return r, nil
}

// CheckRecipients reports what is wrong with recipients, and nil if one could
// encrypt for them.
func CheckRecipients(recipients []string) error {
	_, err := parseRecipients(recipients)
	return err
}

// Open decrypts what Seal, or any age program, encrypted, of at most limit
// bytes, with the identities of a file.
func Open(data []byte, limit int64, identityFile string) ([]byte, error) {
	identities, err := readIdentities(identityFile)
	if err != nil {
		return nil, err
	}
	var in io.Reader = bytes.NewReader(data)
	if !bytes.HasPrefix(data, []byte(binaryHeader)) {
		in = armor.NewReader(in)
	}
	r, err := age.Decrypt(in, identities...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, fmt.Errorf("it is not encrypted for the identity in %s", identityFile)
	}
	if err != nil {
		return nil, errors.New("it is a damaged age file")
	}
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, errors.New("it is a damaged age file: it ends too early, or was changed")
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("what it holds is larger than %d MiB", limit>>20)
	}
	return text, nil
}

// DefaultIdentity returns where the identity stands that is meant where none
// is named: what HEARTH_VAULT_IDENTITY says, else hearth/vault.key in the
// user's configuration folder.
func DefaultIdentity() (string, error) {
	if named := os.Getenv("HEARTH_VAULT_IDENTITY"); named != "" {
		return named, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", errors.New("there is no configuration folder to look for the age identity in: name it with --identity or HEARTH_VAULT_IDENTITY")
	}
	return filepath.Join(dir, "hearth", "vault.key"), nil
}

func readIdentities(path string) ([]age.Identity, error) {
	data, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	identities, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s holds no age identities (AGE-SECRET-KEY-…), one a line", path)
	}
	return identities, nil
}

// readPrivate reads a file that others have no part in. A group may: that is
// how a Secret is mounted into a pod.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the age identity %s: %w", path, cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("look at the age identity %s: %w", path, cause(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("the age identity %s is no file", path)
	case info.Mode().Perm()&0o007 != 0:
		return nil, fmt.Errorf("the age identity %s is open to every user of this system: chmod 600 it", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxIdentities+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the age identity %s: %w", path, cause(err))
	case len(data) > maxIdentities:
		return nil, fmt.Errorf("the age identity %s is larger than %d KiB", path, maxIdentities>>10)
	}
	return data, nil
}

// cause leaves out what the sentence around an error says already.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
