package sops

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"time"
)

// onlyEncryptedSeed begins the checksum of documents whose checksum covers
// nothing but encrypted values: the SHA-256 digest of "sops".
var onlyEncryptedSeed = []byte{
	0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
	0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
}

// decryption is one content being decrypted.
type decryption struct {
	key           []byte
	onlyEncrypted bool
	sum           hash.Hash
	values        []string
}

// visit decrypts a value where it is encrypted, and adds it to the checksum.
func (d *decryption) visit(value any, path []string, encrypted bool) (any, error) {
	if encrypted {
		var err error
		if value, err = d.decrypt(value, path); err != nil {
			return nil, fmt.Errorf("decrypt the value of %s: %w", strings.Join(path, "."), err)
		}
	}
	if _, isComment := value.(comment); isComment || d.onlyEncrypted && !encrypted {
		return value, nil
	}
	data, err := canonical(value)
	if err != nil {
		return nil, fmt.Errorf("the value of %s: %w", strings.Join(path, "."), err)
	}
	d.sum.Write(data)
	return value, nil
}

func (d *decryption) decrypt(value any, path []string) (any, error) {
	place := strings.Join(path, ":") + ":"
	switch value := value.(type) {
	case comment:
		plain, err := decryptValue(string(value), d.key, place)
		if err != nil {
			return value, nil // old versions left comments as they were
		}
		return plain, nil
	case string:
		plain, err := decryptValue(value, d.key, place)
		if text, ok := plain.(string); ok {
			d.collect(text)
		}
		return plain, err
	}
	return nil, errors.New("it should be encrypted, and is not")
}

// decryptValue decrypts one value, which was encrypted for its place.
func decryptValue(text string, key []byte, place string) (any, error) {
	if text == "" {
		return "", nil // nothing is not encrypted
	}
	sealed, nonce, kind, err := parseValue(text)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errors.New("the data key has the wrong size")
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, len(nonce))
	if err != nil {
		return nil, errors.New("it has no initialization vector")
	}
	plain, err := gcm.Open(nil, nonce, sealed, []byte(place))
	if err != nil {
		return nil, errors.New("it was changed or moved since it was encrypted, or its key is another")
	}
	return typed(string(plain), kind)
}

// parseValue reads ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]. What is sealed is
// the data followed by the tag.
func parseValue(text string) (sealed, nonce []byte, kind string, err error) {
	bad := errors.New("it has not the form of an encrypted value")
	body, ok := strings.CutPrefix(text, "ENC[AES256_GCM,")
	if !ok {
		return nil, nil, "", bad
	}
	body, _, ok = strings.Cut(body, "]")
	parts := strings.Split(body, ",")
	if !ok || len(parts) != 4 {
		return nil, nil, "", bad
	}
	var fields [3][]byte
	for i, name := range []string{"data:", "iv:", "tag:"} {
		encoded, named := strings.CutPrefix(parts[i], name)
		if fields[i], err = base64.StdEncoding.DecodeString(encoded); !named || err != nil {
			return nil, nil, "", bad
		}
	}
	kind, ok = strings.CutPrefix(parts[3], "type:")
	if !ok {
		return nil, nil, "", bad
	}
	return append(fields[0], fields[2]...), fields[1], kind, nil
}

// typed turns decrypted text into a value of its type.
func typed(text, kind string) (value any, err error) {
	switch kind {
	case "str", "bytes":
		return text, nil
	case "int":
		value, err = strconv.Atoi(text)
	case "float":
		value, err = strconv.ParseFloat(text, 64)
	case "bool":
		value, err = strconv.ParseBool(text)
	case "time":
		value, err = time.Parse(time.RFC3339Nano, text)
	case "comment":
		return comment(text), nil
	default:
		return nil, errors.New("its type is unknown")
	}
	if err != nil {
		return nil, fmt.Errorf("it is no %s", kind) // the cause cites it
	}
	return value, nil
}

// canonical returns a value as it counts in the checksum.
func canonical(value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		return []byte(v), nil
	case int:
		return strconv.AppendInt(nil, int64(v), 10), nil
	case float64:
		return strconv.AppendFloat(nil, v, 'f', -1, 64), nil
	case json.Number: // one of JSON, where all are floating point
		f, err := v.Float64()
		if err != nil {
			return nil, errors.New("the number is too large")
		}
		return strconv.AppendFloat(nil, f, 'f', -1, 64), nil
	case bool:
		if v {
			return []byte("True"), nil
		}
		return []byte("False"), nil
	case time.Time:
		return v.MarshalText()
	}
	return nil, fmt.Errorf("values of type %T cannot be encrypted", value)
}
