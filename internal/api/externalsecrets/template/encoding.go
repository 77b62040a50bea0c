package template

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"   // a hash that rsaDecrypt may be asked for
	_ "crypto/sha256" // the same
	_ "crypto/sha512" // the same
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strings"

	"sigs.k8s.io/yaml"
)

// toYAML returns the YAML of any value, without the line break at its end.
func toYAML(v any) (string, error) {
	out, err := yaml.Marshal(v)
	if err != nil {
		return "", publicError("toYaml: the value has no YAML form")
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// fromYAML returns the mapping that a text holds.
func fromYAML(text string) (map[string]any, error) {
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		return nil, publicError("fromYaml: the value is no YAML mapping")
	}
	return m, nil
}

func hexDecode(text string) (string, error) {
	out, err := hex.DecodeString(text)
	if err != nil {
		return "", publicError("hexdec: the value is not hexadecimal")
	}
	return string(out), nil
}

var hashes = map[string]crypto.Hash{
	"SHA1": crypto.SHA1, "SHA256": crypto.SHA256, "SHA384": crypto.SHA384, "SHA512": crypto.SHA512,
}

// rsaDecrypt decrypts data with a PEM-encoded RSA key. Scheme is RSA-OAEP or
// None, which is PKCS #1 v1.5.
func rsaDecrypt(scheme, hash, data, privateKey string) (string, error) {
	block, _ := pem.Decode([]byte(privateKey))
	if block == nil {
		return "", publicError("rsaDecrypt: the key is not PEM")
	}
	key, err := rsaPrivateKey(block.Bytes)
	if err != nil {
		return "", err
	}
	var out []byte
	switch strings.ToUpper(scheme) {
	case "NONE":
		out, err = rsa.DecryptPKCS1v15(rand.Reader, key, []byte(data)) //nolint:staticcheck // what the template asks for
	case "RSA-OAEP":
		h, ok := hashes[strings.ReplaceAll(strings.ToUpper(hash), "-", "")]
		if !ok {
			return "", publicError("rsaDecrypt: the hash is none of SHA1, SHA256, SHA384, SHA512")
		}
		out, err = rsa.DecryptOAEP(h.New(), rand.Reader, key, []byte(data), nil)
	default:
		return "", publicError("rsaDecrypt: the scheme is neither RSA-OAEP nor None")
	}
	if err != nil {
		return "", publicError("rsaDecrypt: the key does not fit the data")
	}
	return string(out), nil
}

func rsaPrivateKey(der []byte) (*rsa.PrivateKey, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if key, ok := key.(*rsa.PrivateKey); ok {
			return key, nil
		}
	}
	return nil, publicError("rsaDecrypt: the key is no RSA private key")
}
