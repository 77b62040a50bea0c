package onepassword

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// plausible makes a value up that looks like what the field's name, and what
// a template does with it, promise.
func plausible(seed uint64, item, field string, need Need) string {
	d := draw{seed: seed, item: item, field: field}
	through := need.Through
	encoded := len(through) > 0 && (through[0] == "b64dec" || through[0] == "b32dec")
	if encoded {
		through = through[1:]
	}
	value, ok := d.byUse(through, need.Keys)
	if !ok {
		value = d.byName()
	}
	if encoded {
		return base64.StdEncoding.EncodeToString([]byte(value))
	}
	return value
}

// draw is where one value's randomness comes from.
type draw struct {
	seed        uint64
	item, field string
}

// bytes returns 32 random bytes for a purpose.
func (d draw) bytes(purpose string) []byte {
	h := sha256.New()
	binary.Write(h, binary.BigEndian, d.seed) //nolint:errcheck // a hash takes all
	fmt.Fprintf(h, "%q %q %q", d.item, d.field, purpose)
	return h.Sum(nil)
}

func (d draw) hex(n int) string { return hex.EncodeToString(d.bytes("text"))[:n] }

// byUse makes a value that the functions of a template can work on.
func (d draw) byUse(through, keys []string) (string, bool) {
	for _, function := range through {
		switch function {
		case "fromJson", "mustFromJson", "fromYaml", "mustFromYaml":
			return d.object(keys), true
		case "filterPEM", "filterCertChain", "certSANs":
			return d.certificate() + d.privateKey(), true
		case "jwkPublicKeyPem", "jwkPrivateKeyPem":
			return d.webKey(), true
		case "int", "int64", "atoi", "float64", "add", "add1", "sub", "mul", "div", "toDecimal":
			return d.number(), true
		case "b64dec":
			return base64.StdEncoding.EncodeToString([]byte(d.byName())), true
		case "hexdec":
			return d.hex(32), true
		}
	}
	return "", false
}

// object is a JSON mapping with the keys.
func (d draw) object(keys []string) string {
	content := map[string]string{}
	for _, key := range keys {
		content[key] = draw{seed: d.seed, item: d.item + "/" + d.field, field: key}.byName()
	}
	out, err := json.Marshal(content)
	if err != nil {
		return "{}" // texts always have a JSON form
	}
	return string(out)
}

// byName makes a value that fits the field's name.
func (d draw) byName() string {
	words := words(d.field)
	has := func(any ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(any, w) })
	}
	last := ""
	if len(words) > 0 {
		last = words[len(words)-1]
	}
	ends := func(any ...string) bool { return slices.Contains(any, last) }
	switch {
	case has("BASE64", "B64"):
		return base64.StdEncoding.EncodeToString(d.bytes("base64"))
	case has("JSON"):
		return "{}"
	case has("YAML", "YML"):
		return "{}"
	case has("SSH") && has("PUBLIC", "PUB"):
		return d.sshPublicKey()
	case has("PUBLIC") && ends("KEY", "PEM"):
		return d.publicKey()
	case ends("KEY", "PEM") && has("PRIVATE", "TLS", "SSH", "RSA", "ED25519", "ECDSA", "SIGNING"):
		return d.privateKey()
	case ends("CERT", "CERTIFICATE", "CRT", "PEM", "CA", "CHAIN", "BUNDLE"):
		return d.certificate()
	case ends("EMAIL", "MAIL"):
		return "someone@example.invalid"
	case ends("URL", "URI", "ENDPOINT", "WEBHOOK", "ISSUER"):
		return "https://example.invalid"
	case ends("HOST", "HOSTNAME", "DOMAIN", "FQDN", "SERVER"):
		return "example.invalid"
	case ends("IP", "ADDRESS", "ADDR"):
		return "192.0.2.10" // RFC 5737: an address for documentation
	case ends("CIDR", "SUBNET"):
		return "192.0.2.0/24"
	case ends("PORT", "UID", "GID", "COUNT", "SIZE", "LIMIT", "TIMEOUT", "TTL"):
		return d.number()
	case ends("USER", "USERNAME", "LOGIN"):
		return "user" + d.hex(6)
	case ends("TZ", "TIMEZONE"):
		return "Etc/UTC"
	case ends("ENABLED", "DISABLED", "DEBUG"):
		return "true"
	case ends("BUCKET", "REGION", "DATABASE", "DB", "DBNAME", "ORG", "NAME"):
		return strings.ToLower(last) + "-" + d.hex(6)
	}
	return d.hex(32)
}

// number is one that serves as a port.
func (d draw) number() string {
	return fmt.Sprint(1024 + binary.BigEndian.Uint16(d.bytes("number"))%60000)
}

// words splits a name at case changes and at whatever is no letter or digit.
func words(name string) []string {
	var out []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			out = append(out, strings.ToUpper(word.String()))
			word.Reset()
		}
	}
	lower := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
		case unicode.IsUpper(r) && lower:
			flush()
			word.WriteRune(r)
		default:
			word.WriteRune(r)
		}
		lower = unicode.IsLower(r)
	}
	flush()
	return out
}
