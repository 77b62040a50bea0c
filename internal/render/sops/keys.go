package sops

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
)

// dataKeySize is that of the key that values are encrypted with, in bytes.
const dataKeySize = 32

// Keys are what data keys are decrypted with. The zero value has none.
type Keys struct {
	identities []age.Identity
}

// Add adds the keys of an entry of a Secret, as Flux takes them: age
// identities where its name ends in .agekey. Entries for other key services
// are left alone; what needs them says so when it is decrypted.
func (k *Keys) Add(name string, value []byte) error {
	if path.Ext(name) != ".agekey" {
		return nil
	}
	text := string(value)
	if strings.Contains(text, "-----BEGIN") {
		identity, err := agessh.ParseIdentity(value)
		if err != nil {
			return fmt.Errorf("entry %s has an SSH key that cannot be read, or has a passphrase", name)
		}
		k.identities = append(k.identities, identity)
		return nil
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		identity, err := parseIdentity(line)
		if err != nil {
			return fmt.Errorf("entry %s, line %d, %w", name, number, err)
		}
		k.identities = append(k.identities, identity)
	}
	return nil
}

// parseIdentity reads an age identity. The cause of a failure is not told,
// since it may cite the key.
func parseIdentity(line string) (age.Identity, error) {
	bad := errors.New("is no age identity (AGE-SECRET-KEY-…)")
	switch {
	case strings.HasPrefix(line, "AGE-PLUGIN-"):
		return nil, errors.New("is an identity of an age plugin, and plugins are not run")
	case strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-1"):
		identity, err := age.ParseHybridIdentity(line)
		if err != nil {
			return nil, bad
		}
		return identity, nil
	}
	identity, err := age.ParseX25519Identity(line)
	if err != nil {
		return nil, bad
	}
	return identity, nil
}

// dataKey decrypts the key that a document's values are encrypted with.
func (k *Keys) dataKey(m *metadata) ([]byte, error) {
	group := m.keyGroup
	if others := group.others(); len(group.Age) == 0 && len(others) == 0 {
		switch len(m.KeyGroups) {
		case 0:
			return nil, errors.New("its metadata names no keys")
		case 1:
			group = m.KeyGroups[0]
		default:
			return nil, fmt.Errorf("its data key is shared out among %d groups of keys (Shamir), of which Hearth reads one only", len(m.KeyGroups))
		}
	}
	if len(group.Age) == 0 {
		return nil, fmt.Errorf("it is encrypted for %s only; Hearth decrypts with age: add an age recipient to it (sops updatekeys)", strings.Join(group.others(), " and "))
	}
	if len(k.identities) == 0 {
		return nil, errors.New("there is no age identity to decrypt it with: spec.decryption.secretRef names a Secret with an entry that ends in .agekey")
	}
	var recipients []string
	for _, key := range group.Age {
		if dataKey, err := k.unwrap(key.Enc); err == nil {
			return dataKey, nil
		}
		recipients = append(recipients, key.Recipient)
	}
	slices.Sort(recipients)
	return nil, fmt.Errorf("none of the age identities at hand belongs to what it is encrypted for: %s", strings.Join(recipients, ", "))
}

func (k *Keys) unwrap(enc string) ([]byte, error) {
	r, err := age.Decrypt(armor.NewReader(strings.NewReader(enc)), k.identities...)
	if err != nil {
		return nil, err
	}
	key, err := io.ReadAll(io.LimitReader(r, dataKeySize+1))
	if err != nil {
		return nil, err
	}
	if len(key) != dataKeySize {
		return nil, errors.New("the data key has the wrong size")
	}
	return key, nil
}

// others names the key services of a group beside age.
func (g keyGroup) others() []string {
	var names []string
	for _, service := range []struct {
		name string
		keys int
	}{
		{"PGP", len(g.PGP)}, {"AWS KMS", len(g.KMS)}, {"Google Cloud KMS", len(g.GCPKMS)},
		{"Huawei Cloud KMS", len(g.HCKMS)}, {"Azure Key Vault", len(g.Azure)}, {"Vault", len(g.Vault)},
	} {
		if service.keys > 0 {
			names = append(names, service.name)
		}
	}
	return names
}
