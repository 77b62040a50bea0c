package onepassword

import (
	"crypto/rand"
	"math/big"
	"strings"
)

// Recipe says how a value is made up at random.
type Recipe struct {
	Length            int      `json:"length"`        // 1 to 64 characters; 0 is 32
	CharacterSets     []string `json:"characterSets"` // of LETTERS, DIGITS, SYMBOLS; none is the first two
	ExcludeCharacters string   `json:"excludeCharacters"`
}

const (
	defaultLength = 32
	maxLength     = 64
)

var characterSets = map[string]string{
	"LETTERS": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
	"DIGITS":  "0123456789",
	"SYMBOLS": "!@#$%^&*()-_=+[]{};:,.?",
}

// Generate makes a value up. What is wrong with the recipe is an error.
func (r Recipe) Generate() (Value, error) {
	length := r.Length
	if length == 0 {
		length = defaultLength
	}
	if length < 1 || length > maxLength || len(r.CharacterSets) > len(characterSets) {
		return Value{}, invalidError("A generated value has 1 to 64 characters, of at most 3 sets")
	}
	sets := r.CharacterSets
	if len(sets) == 0 {
		sets = []string{"LETTERS", "DIGITS"}
	}
	var alphabet strings.Builder
	for _, name := range sets {
		set, ok := characterSets[name]
		if !ok {
			return Value{}, invalidError("A generated value's characters are LETTERS, DIGITS or SYMBOLS")
		}
		for _, c := range set {
			if !strings.ContainsRune(r.ExcludeCharacters, c) {
				alphabet.WriteRune(c)
			}
		}
	}
	if alphabet.Len() == 0 {
		return Value{}, invalidError("A generated value has no characters left")
	}
	text := make([]byte, length)
	for i := range text {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(alphabet.Len())))
		if err != nil {
			return Value{}, err
		}
		text[i] = alphabet.String()[n.Int64()]
	}
	return NewValue(string(text)), nil
}
