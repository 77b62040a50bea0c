package onepassword

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// idLength is how long the ids of vaults, items and files are.
const idLength = 26

// MakeID returns an id of 1Password's form that depends on the parts only.
func MakeID(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)))[:idLength]
}

// IsID reports whether a text has the form of an id.
func IsID(s string) bool {
	if len(s) != idLength {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) < 0
}
