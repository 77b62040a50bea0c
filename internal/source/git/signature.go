package git

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
)

var (
	// ErrUnsigned says that an object has no signature.
	ErrUnsigned = errors.New("it is not signed")
	// ErrUntrusted says that no trusted key made a signature.
	ErrUntrusted = errors.New("unable to verify payload with any of the given keys")
)

// maxSigned bounds a commit or tag whose signature is looked at.
const maxSigned = 4 << 20

// signed is an object as it was when it was signed, and the signature.
type signed struct {
	payload, signature []byte
}

var (
	pgpBegins = [][]byte{[]byte("-----BEGIN PGP SIGNATURE-----"), []byte("-----BEGIN PGP MESSAGE-----")}
	sshBegins = []byte("-----BEGIN SSH SIGNATURE-----")
)

// VerifyCommit checks the signature of the commit, and returns the key that
// made it.
func (s *Snapshot) VerifyCommit(keys Keys) (key string, err error) {
	raw, err := s.raw(plumbing.CommitObject, s.Target.Commit)
	if err != nil {
		return "", err
	}
	object, err := splitCommit(raw)
	if err != nil {
		return "", err
	}
	return keys.verify(object)
}

// VerifyTag checks the signature of the tag object that leads to the commit,
// and that it is a tag of the name asked for. The error is ErrUnsigned where
// there is no such object either.
func (s *Snapshot) VerifyTag(keys Keys) (key string, err error) {
	if s.Target.Tag == plumbing.ZeroHash {
		return "", ErrUnsigned
	}
	raw, err := s.raw(plumbing.TagObject, s.Target.Tag)
	if err != nil {
		return "", err
	}
	object, err := splitTag(raw)
	if err != nil {
		return "", err
	}
	if key, err = keys.verify(object); err != nil {
		return "", err
	}
	// What is signed must be what was asked for, or an old tag could be passed
	// off as a new one.
	target, name := headerOf(object.payload, "object"), headerOf(object.payload, "tag")
	if target != s.Target.Commit.String() || name != short(s.Target.Reference) {
		return "", fmt.Errorf("the signed tag is '%s' of %s", legible(name), legible(target))
	}
	return key, nil
}

// TagName returns the tag as Flux writes it, and whether the target was found
// by a tag.
func (t Target) TagName() (string, bool) {
	if !t.Reference.IsTag() || t.pinned {
		return "", false
	}
	if t.Tag == plumbing.ZeroHash {
		return short(t.Reference) + "@sha1:" + t.Commit.String(), true
	}
	return short(t.Reference) + "@sha1:" + t.Tag.String(), true
}

func (s *Snapshot) raw(kind plumbing.ObjectType, hash plumbing.Hash) ([]byte, error) {
	object, err := s.storage.EncodedObject(kind, hash)
	if err != nil {
		return nil, fmt.Errorf("read the %s %s: %w", kind, hash, err)
	}
	if object.Size() > maxSigned {
		return nil, fmt.Errorf("the %s %s is larger than %d MiB", kind, hash, maxSigned>>20)
	}
	reader, err := object.Reader()
	if err != nil {
		return nil, fmt.Errorf("read the %s %s: %w", kind, hash, err)
	}
	defer reader.Close()
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(reader); err != nil {
		return nil, fmt.Errorf("read the %s %s: %w", kind, hash, err)
	}
	return raw.Bytes(), nil
}

// splitCommit takes the signature out of a commit's headers, and leaves the
// rest byte by byte as it is.
func splitCommit(raw []byte) (signed, error) {
	var s signed
	header, message, ok := bytes.Cut(raw, []byte("\n\n"))
	if !ok {
		header, message = bytes.TrimSuffix(raw, []byte("\n")), nil
	}
	found, taking, dropping := 0, false, false
	for _, line := range bytes.Split(header, []byte("\n")) {
		switch continued := bytes.HasPrefix(line, []byte(" ")); {
		case bytes.HasPrefix(line, []byte("gpgsig ")):
			found++
			taking, dropping = true, true
			s.signature = append(append(s.signature, line[len("gpgsig "):]...), '\n')
			continue
		case bytes.HasPrefix(line, []byte("gpgsig-sha256 ")):
			taking, dropping = false, true
			continue
		case continued && dropping:
			if taking {
				s.signature = append(append(s.signature, line[1:]...), '\n')
			}
			continue
		}
		taking, dropping = false, false
		s.payload = append(append(s.payload, line...), '\n')
	}
	if found == 0 {
		return signed{}, ErrUnsigned
	}
	if found > 1 {
		return signed{}, errors.New("it has more than one signature")
	}
	if ok {
		s.payload = append(append(s.payload, '\n'), message...)
	}
	return s, nil
}

// splitTag takes the signature off the end of a tag's message.
func splitTag(raw []byte) (signed, error) {
	at := -1
	for offset := 0; offset < len(raw); {
		line, _, _ := bytes.Cut(raw[offset:], []byte("\n"))
		if bytes.HasPrefix(line, sshBegins) || bytes.HasPrefix(line, pgpBegins[0]) || bytes.HasPrefix(line, pgpBegins[1]) {
			at = offset
		}
		offset += len(line) + 1
	}
	if at < 0 {
		return signed{}, ErrUnsigned
	}
	return signed{payload: raw[:at], signature: raw[at:]}, nil
}

// headerOf returns the first value of a header.
func headerOf(object []byte, name string) string {
	header, _, _ := bytes.Cut(object, []byte("\n\n"))
	for line := range bytes.Lines(header) {
		if value, ok := bytes.CutPrefix(line, []byte(name+" ")); ok {
			return string(bytes.TrimSuffix(value, []byte("\n")))
		}
	}
	return ""
}
