package git

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"golang.org/x/crypto/ssh"
)

// Keys are those whose signatures are trusted.
type Keys struct {
	pgp openpgp.EntityList
	ssh []ssh.PublicKey
}

const (
	maxKeyData = 1 << 20
	sshSuffix  = ".sshpub"
)

// KeysOf reads trusted keys from a Secret's data: PGP public keys in armor,
// and, under names that end in .sshpub or wherever no armor begins, SSH public
// keys, one a line, as authorized_keys or allowed_signers write them.
func KeysOf(data map[string][]byte) (Keys, error) {
	var keys Keys
	for _, name := range slices.Sorted(maps.Keys(data)) {
		content := data[name]
		if len(content) > maxKeyData {
			return Keys{}, fmt.Errorf("the key %s is larger than %d bytes", name, maxKeyData)
		}
		if !strings.HasSuffix(name, sshSuffix) && bytes.Contains(content, []byte("-----BEGIN PGP")) {
			ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(content))
			if err != nil {
				return Keys{}, fmt.Errorf("the key %s is no armored PGP key ring", name)
			}
			keys.pgp = append(keys.pgp, ring...)
			continue
		}
		signers, err := parseSigners(content)
		if err != nil {
			return Keys{}, fmt.Errorf("the key %s: %w", name, err)
		}
		keys.ssh = append(keys.ssh, signers...)
	}
	if len(keys.pgp) == 0 && len(keys.ssh) == 0 {
		return Keys{}, errors.New("it holds no public key")
	}
	return keys, nil
}

// verify returns which key made a signature.
func (k Keys) verify(object signed) (string, error) {
	if bytes.HasPrefix(bytes.TrimSpace(object.signature), sshBegins) {
		return k.verifySSH(object)
	}
	for _, begins := range pgpBegins {
		if bytes.HasPrefix(bytes.TrimSpace(object.signature), begins) {
			return k.verifyPGP(object)
		}
	}
	return "", errors.New("its signature is neither of PGP nor of SSH")
}

func (k Keys) verifyPGP(object signed) (string, error) {
	for i := range k.pgp {
		signer, err := openpgp.CheckArmoredDetachedSignature(k.pgp[i:i+1], bytes.NewReader(object.payload), bytes.NewReader(object.signature), nil)
		if err == nil && signer != nil {
			return signer.PrimaryKey.KeyIdString(), nil
		}
	}
	return "", ErrUntrusted
}

// parseSigners reads SSH public keys.
func parseSigners(content []byte) ([]ssh.PublicKey, error) {
	var keys []ssh.PublicKey
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, ok, err := parseSigner(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if ok {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// parseSigner reads "[principals [options]] type key [comment]". ok is false
// where the key is not for Git.
func parseSigner(line string) (key ssh.PublicKey, ok bool, err error) {
	fields := quotedFields(line)
	at := slices.IndexFunc(fields, isKeyType)
	if at < 0 || at > 2 || at+1 >= len(fields) {
		return nil, false, errors.New("it is no SSH public key")
	}
	ok = true
	if at == 2 {
		if ok, err = forGit(fields[1]); err != nil {
			return nil, false, err
		}
	}
	key, _, _, _, err = ssh.ParseAuthorizedKey([]byte(fields[at] + " " + fields[at+1]))
	if err != nil {
		return nil, false, errors.New("it is no SSH public key")
	}
	return key, ok, nil
}

// forGit judges the options of an allowed signer. One that would have to be
// understood is refused.
func forGit(options string) (bool, error) {
	name, value, _ := strings.Cut(options, "=")
	if !strings.EqualFold(name, "namespaces") || strings.Count(options, "=") != 1 {
		return false, fmt.Errorf("of the options of an allowed signer only namespaces is understood, not %s", legible(name))
	}
	return slices.Contains(strings.Split(strings.Trim(value, `"`), ","), sshNamespace), nil
}

func isKeyType(field string) bool {
	switch field {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoRSA,
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKECDSA256:
		return true
	}
	return false
}

// quotedFields splits at blanks, but not in quotes.
func quotedFields(line string) []string {
	quoted := false
	return strings.FieldsFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t')
	})
}
