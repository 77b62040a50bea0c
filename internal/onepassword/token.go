package onepassword

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// Token says what the bearer of a token may do. The token itself is not kept,
// only its digest.
type Token struct {
	Name string
	// Digest is the SHA-256 of the token.
	Digest [sha256.Size]byte
	// Vaults are the names or ids of the vaults it reaches; none is all of them.
	Vaults []string
	// Write allows to add, change and delete items.
	Write bool
	// Expires is when it ends; zero is never.
	Expires time.Time
}

// NewToken returns a random token and its digest.
func NewToken() (Value, [sha256.Size]byte) {
	random := make([]byte, 32)
	rand.Read(random) //nolint:errcheck // never fails
	text := "hearth_" + base64.RawURLEncoding.EncodeToString(random)
	return NewValue(text), sha256.Sum256([]byte(text))
}

// reaches reports whether a token is for a vault.
func (t *Token) reaches(v Vault) bool {
	return len(t.Vaults) == 0 || slices.Contains(t.Vaults, v.Name) || slices.Contains(t.Vaults, v.ID)
}

// tokenOf returns the token that a request bears, if it is one of those given
// and has not expired. All of them are compared, so that the time it takes says nothing.
func tokenOf(tokens []Token, borne string, now time.Time) *Token {
	digest := sha256.Sum256([]byte(borne))
	var found *Token
	for i := range tokens {
		if subtle.ConstantTimeCompare(tokens[i].Digest[:], digest[:]) == 1 {
			found = &tokens[i]
		}
	}
	if found == nil || !found.Expires.IsZero() && !now.Before(found.Expires) {
		return nil
	}
	return found
}

func (r *reader) token(n *yaml.Node) (Token, error) {
	var token Token
	var digest string
	err := r.mapping(n, "a token has name, sha256, vaults, write, expires", map[string]entry{
		"name": r.text(&token.Name), "sha256": r.text(&digest), "vaults": r.texts(&token.Vaults),
		"write": r.value(&token.Write, "true or false"), "expires": r.value(&token.Expires, "a time"),
	})
	if err != nil {
		return token, err
	}
	if token.Name == "" {
		return token, r.fault(n, "a token needs a name")
	}
	decoded, err := hex.DecodeString(digest)
	if err != nil || len(decoded) != sha256.Size {
		return token, r.fault(n, "the token's sha256 is not 64 hexadecimal digits (hearth vault token makes one)")
	}
	copy(token.Digest[:], decoded)
	return token, nil
}
