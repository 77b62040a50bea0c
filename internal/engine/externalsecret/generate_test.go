package externalsecret

import (
	"regexp"
	"strings"
	"testing"

	"hearth/internal/api/externalsecrets/generators"
)

func count(text, from string) int {
	n := 0
	for _, r := range text {
		if strings.ContainsRune(from, r) {
			n++
		}
	}
	return n
}

func TestPassword(t *testing.T) {
	five, none, symbols := 5, 0, "#!"
	for name, spec := range map[string]generators.PasswordSpec{
		"default":        {},
		"digits":         {Length: 20, Digits: &five, Symbols: &none},
		"own symbols":    {Length: 20, SymbolCharacters: &symbols, AllowRepeat: true},
		"lower only":     {Length: 12, NoUpper: true},
		"long":           {Length: 1000, AllowRepeat: true},
		"without repeat": {Length: 52, Digits: &none, Symbols: &none},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := password(spec)
			if err != nil {
				t.Fatal(err)
			}
			length := spec.Length
			if length == 0 {
				length = 24
			}
			wantDigits, wantSymbols, from := length/4, length/4, defaultSymbols
			if spec.Digits != nil {
				wantDigits = *spec.Digits
			}
			if spec.Symbols != nil {
				wantSymbols = *spec.Symbols
			}
			if spec.SymbolCharacters != nil {
				from = symbols
			}
			if len(got) != length || count(got, digits) != wantDigits || count(got, from) != wantSymbols {
				t.Errorf("%d characters, %d digits, %d symbols", len(got), count(got, digits), count(got, from))
			}
			if spec.NoUpper && got != strings.ToLower(got) {
				t.Error("it has upper case letters")
			}
			for _, r := range got {
				if !spec.AllowRepeat && strings.Count(got, string(r)) > 1 {
					t.Error("a character repeats")
				}
			}
			if again, err := password(spec); err != nil || again == got {
				t.Errorf("twice the same, or %v", err)
			}
		})
	}
	empty, fifty := "", 50
	for name, spec := range map[string]generators.PasswordSpec{
		"too long": {Length: maxLength + 1}, "negative": {Length: -1}, "too many digits": {Length: 4, Digits: &five},
		"no symbols": {SymbolCharacters: &empty}, "digits that repeat": {Length: 60, Digits: &fifty},
	} {
		if _, err := password(spec); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestPasswords(t *testing.T) {
	for encoding, length := range map[string]int{"": 24, "raw": 24, "base64": 32, "base64url": 32, "base32": 40, "hex": 48} {
		got, err := passwords("g", generators.PasswordSpec{SecretKeys: []string{"a", "b"}, Encoding: encoding})
		if err != nil || len(got) != 2 || len(got["a"]) != length || string(got["a"]) == string(got["b"]) {
			t.Errorf("%q: %d passwords of %d bytes, %v", encoding, len(got), len(got["a"]), err)
		}
	}
	if _, err := passwords("g", generators.PasswordSpec{Encoding: "rot13"}); err == nil {
		t.Error("an unknown encoding is no error")
	}
	if _, err := passwords("g", generators.PasswordSpec{SecretKeys: make([]string, maxPasswords+1)}); err == nil {
		t.Error("any number of passwords is made")
	}
}

func TestUUID(t *testing.T) {
	got, err := uuids()
	if err != nil || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).Match(got["uuid"]) {
		t.Errorf("%s, %v", got["uuid"], err)
	}
}
