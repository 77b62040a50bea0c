package git

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// What OpenSSH's PROTOCOL.sshsig says of a signature made for Git.
const (
	sshMagic     = "SSHSIG"
	sshVersion   = 1
	sshNamespace = "git"
	sshPEM       = "SSH SIGNATURE"
	minRSABits   = 2048
)

// sshSignature is a signature with the key that made it.
type sshSignature struct {
	key       ssh.PublicKey
	hash      string
	reserved  string
	signature *ssh.Signature
}

// verifySSH checks a signature, which must be of one of the keys.
func (k Keys) verifySSH(object signed) (string, error) {
	s, err := parseSSHSignature(object.signature)
	if err != nil {
		return "", err
	}
	for _, key := range k.ssh {
		if !bytes.Equal(key.Marshal(), s.key.Marshal()) {
			continue
		}
		if err := s.check(key, object.payload); err != nil {
			return "", err
		}
		return ssh.FingerprintSHA256(key), nil
	}
	return "", ErrUntrusted
}

func (s *sshSignature) check(key ssh.PublicKey, payload []byte) error {
	var sum []byte
	switch s.hash {
	case "sha256":
		digest := sha256.Sum256(payload)
		sum = digest[:]
	case "sha512":
		digest := sha512.Sum512(payload)
		sum = digest[:]
	default:
		return errors.New("its signature is over an unknown hash")
	}
	message := append([]byte(sshMagic), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Sum                       []byte
	}{sshNamespace, s.reserved, s.hash, sum})...)
	if err := key.Verify(message, s.signature); err != nil {
		return ErrUntrusted
	}
	return nil
}

// parseSSHSignature reads an armored signature.
func parseSSHSignature(armored []byte) (*sshSignature, error) {
	block, rest := pem.Decode(bytes.TrimSpace(armored))
	if block == nil || block.Type != sshPEM || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("its SSH signature cannot be read")
	}
	blob, ok := bytes.CutPrefix(block.Bytes, []byte(sshMagic))
	if !ok {
		return nil, errors.New("its SSH signature cannot be read")
	}
	var fields struct {
		Version                   uint32
		Key                       []byte
		Namespace, Reserved, Hash string
		Signature                 []byte
	}
	if err := ssh.Unmarshal(blob, &fields); err != nil {
		return nil, errors.New("its SSH signature cannot be read")
	}
	if fields.Version != sshVersion {
		return nil, fmt.Errorf("its SSH signature is of the unknown version %d", fields.Version)
	}
	if fields.Namespace != sshNamespace {
		return nil, errors.New("its SSH signature was not made for Git")
	}
	key, err := ssh.ParsePublicKey(fields.Key)
	if err != nil || !isKeyType(key.Type()) {
		return nil, errors.New("its SSH signature is of a key that cannot be used")
	}
	s := &sshSignature{key: key, hash: fields.Hash, reserved: fields.Reserved, signature: &ssh.Signature{}}
	if err := ssh.Unmarshal(fields.Signature, s.signature); err != nil {
		return nil, errors.New("its SSH signature cannot be read")
	}
	return s, s.strongEnough()
}

// strongEnough refuses SHA-1 and short keys.
func (s *sshSignature) strongEnough() error {
	if s.key.Type() != ssh.KeyAlgoRSA {
		return nil
	}
	if s.signature.Format != ssh.KeyAlgoRSASHA256 && s.signature.Format != ssh.KeyAlgoRSASHA512 {
		return errors.New("its SSH signature is made with SHA-1")
	}
	if known, ok := s.key.(ssh.CryptoPublicKey); ok {
		if public, ok := known.CryptoPublicKey().(*rsa.PublicKey); ok && public.N.BitLen() < minRSABits {
			return fmt.Errorf("its SSH signature is of a key shorter than %d bits", minRSABits)
		}
	}
	return nil
}
