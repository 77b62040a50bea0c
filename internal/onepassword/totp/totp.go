// Package totp computes one-time passwords that change with time (RFC 6238),
// from what 1Password keeps of them: an otpauth URI, or the bare secret.
//
// Errors never cite what they are about: it is a secret.
package totp

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds of a key.
const (
	maxText   = 4 << 10
	minDigits = 6
	maxDigits = 9
	maxPeriod = time.Hour
)

// Key makes one-time passwords. It shows itself to no verb of fmt.
type Key struct {
	secret []byte
	hash   func() hash.Hash
	digits int
	period time.Duration
}

var hashes = map[string]func() hash.Hash{"": sha1.New, "SHA1": sha1.New, "SHA256": sha256.New, "SHA512": sha512.New}

// Parse reads an otpauth://totp/ URI, or a secret in base32 as most services
// show it: spaces and lower case do not matter. What the URI leaves out is 6
// digits, SHA-1, and a new password every 30 seconds.
func Parse(text string) (*Key, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("the one-time password's text is longer than %d bytes", maxText)
	}
	key := &Key{hash: sha1.New, digits: minDigits, period: 30 * time.Second}
	if !strings.HasPrefix(text, "otpauth://") {
		return key, key.setSecret(text)
	}
	uri, err := url.Parse(text)
	if err != nil || uri.Host != "totp" {
		return nil, errors.New("the one-time password's URI is no otpauth://totp/ one")
	}
	values := uri.Query()
	if key.hash = hashes[strings.ToUpper(values.Get("algorithm"))]; key.hash == nil {
		return nil, errors.New("the one-time password's algorithm is none of SHA1, SHA256, SHA512")
	}
	if digits := values.Get("digits"); digits != "" {
		key.digits, err = strconv.Atoi(digits)
		if err != nil || key.digits < minDigits || key.digits > maxDigits {
			return nil, fmt.Errorf("the one-time password's digits are not %d to %d", minDigits, maxDigits)
		}
	}
	if period := values.Get("period"); period != "" {
		seconds, err := strconv.Atoi(period)
		if key.period = time.Duration(seconds) * time.Second; err != nil || seconds < 1 || seconds > int(maxPeriod/time.Second) {
			return nil, fmt.Errorf("the one-time password's period is not 1 to %d seconds", int(maxPeriod/time.Second))
		}
	}
	return key, key.setSecret(values.Get("secret"))
}

// Format writes a placeholder, whatever the verb.
func (k *Key) Format(s fmt.State, _ rune) { fmt.Fprint(s, "[redacted]") }

func (k *Key) setSecret(text string) error {
	text = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "=", "").Replace(text))
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || len(secret) == 0 {
		return errors.New("the one-time password's secret is not base32")
	}
	k.secret = secret
	return nil
}

// Code returns the one-time password of a time.
func (k *Key) Code(at time.Time) string {
	counter := uint64(max(at.Unix(), 0)) / uint64(k.period/time.Second)
	mac := hmac.New(k.hash, k.secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, counter))
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	code := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	modulus := uint32(1)
	for range k.digits {
		modulus *= 10
	}
	return fmt.Sprintf("%0*d", k.digits, code%modulus)
}
