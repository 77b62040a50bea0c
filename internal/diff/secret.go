package diff

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"hearth/internal/render/kept"
)

// What stands instead of a secret's value. Two that differ must be told apart,
// while neither can be guessed from what is told: behind the mark stands a
// digest that is salted with what only the folder of snapshots knows.
const (
	secretMark    = "(secret "
	encryptedMark = "(encrypted "
)

// withoutSecrets returns an object in which digests stand for what a Secret
// holds, and for what is encrypted.
func withoutSecrets(o map[string]any) map[string]any {
	secret := o["kind"] == "Secret" && o["apiVersion"] == "v1"
	_, encrypted := o["sops"]
	if !secret && !encrypted {
		return o
	}
	shown := map[string]any{}
	for name, value := range o {
		switch {
		case name == "sops": // the times and keys of the encryption
		case secret && (name == "data" || name == "stringData"):
			shown[name] = masked(value, secretMark)
		case encrypted:
			shown[name] = maskedEncrypted(value)
		default:
			shown[name] = value
		}
	}
	if annotations := nested(shown, "metadata", "annotations"); secret && annotations["kubectl.kubernetes.io/last-applied-configuration"] != nil {
		annotations["kubectl.kubernetes.io/last-applied-configuration"] = secretMark + "left out)"
	}
	return shown
}

func nested(m map[string]any, path ...string) map[string]any {
	for _, step := range path {
		m, _ = m[step].(map[string]any)
	}
	return m
}

// masked replaces every value.
func masked(v any, mark string) any {
	switch v := v.(type) {
	case map[string]any:
		shown := map[string]any{}
		for name, value := range v {
			shown[name] = masked(value, mark)
		}
		return shown
	case []any:
		shown := make([]any, len(v))
		for i, value := range v {
			shown[i] = masked(value, mark)
		}
		return shown
	case nil:
		return nil
	}
	return mark + kept.Digest(salt(), fmt.Sprint(v))[:12] + ")"
}

// maskedEncrypted replaces what sops has encrypted.
func maskedEncrypted(v any) any {
	switch v := v.(type) {
	case map[string]any:
		shown := map[string]any{}
		for name, value := range v {
			shown[name] = maskedEncrypted(value)
		}
		return shown
	case []any:
		shown := make([]any, len(v))
		for i, value := range v {
			shown[i] = maskedEncrypted(value)
		}
		return shown
	case string:
		if strings.HasPrefix(v, "ENC[") {
			return masked(v, encryptedMark)
		}
	}
	return v
}

// isMasked reports whether a value stands for a secret one.
func isMasked(v any) bool {
	text, _ := v.(string)
	return strings.HasPrefix(text, secretMark) || strings.HasPrefix(text, encryptedMark)
}

var maskPattern = regexp.MustCompile(regexp.QuoteMeta(secretMark) + `[0-9a-f]{12}\)|` + regexp.QuoteMeta(encryptedMark) + `[0-9a-f]{12}\)`)

// unmarked takes the digests out of a text.
func unmarked(text string) string {
	return maskPattern.ReplaceAllStringFunc(text, func(m string) string {
		return strings.TrimSpace(m[:strings.IndexByte(m, ' ')]) + ")"
	})
}

// salts are kept beside snapshots, so that those of several runs compare.
var salts = kept.In("diff", 0, 0)

// salt is a secret of the user's cache folder; of this process, where there is
// no such folder.
var salt = sync.OnceValue(func() string {
	if data, ok := salts.Get("salt"); ok {
		return string(data)
	}
	data := make([]byte, 32)
	_, _ = rand.Read(data) // never fails
	text := hex.EncodeToString(data)
	salts.Put("salt", []byte(text))
	if data, ok := salts.Get("salt"); ok { // another process may have been faster
		return string(data)
	}
	return text
})
