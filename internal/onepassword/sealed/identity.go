package sealed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
)

// EnsureIdentity returns the recipients of the identities in a file. It makes
// the file, mode 0600, with a new identity, if there is none; made says so.
func EnsureIdentity(path string) (recipients []string, made bool, err error) {
	identities, err := readIdentities(path)
	if errors.Is(err, fs.ErrNotExist) {
		recipient, err := newIdentity(path)
		return []string{recipient}, err == nil, err
	}
	if err != nil {
		return nil, false, err
	}
	for _, identity := range identities {
		switch i := identity.(type) {
		case *age.X25519Identity:
			recipients = append(recipients, i.Recipient().String())
		case *age.HybridIdentity:
			recipients = append(recipients, i.Recipient().String())
		}
	}
	return recipients, false, nil
}

// newIdentity writes a file that must not be there yet.
func newIdentity(path string) (recipient string, err error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("make an age identity: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make the folder of the age identity %s: %w", path, cause(err))
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("write the age identity %s: %w", path, cause(err))
	}
	recipient = identity.Recipient().String()
	_, err = fmt.Fprintf(f, "# created: %s\n# public key: %s\n%s\n", time.Now().UTC().Format(time.RFC3339), recipient, identity)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("write the age identity %s: %w", path, cause(err))
	}
	return recipient, nil
}
