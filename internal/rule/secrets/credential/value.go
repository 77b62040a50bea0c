package credential

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// isWritten reports whether the value of a name of a class is the credential
// itself, and not what stands for it.
func isWritten(c class, name, value string) bool {
	value = strings.TrimSpace(value)
	if c == plain || value == "" || StandsIn(value) || isSetting(value) || isPlace(value) {
		return false
	}
	if strings.Contains(value, " ") && (c != password || isProse(value)) {
		return false
	}
	switch {
	case c == weak:
		return isRandom(value)
	case isVariable(name):
		return len(value) > 2 && !(c == strong && isObjectName(value))
	case c == password:
		return len(value) > 2 && !namesCredential(value)
	}
	return isRandom(value) || len(value) >= 8 && !isObjectName(value) && !isWord(value) && !namesCredential(value)
}

var (
	// standIns are how tools write that a value comes from elsewhere.
	standIns = []string{"{{", "${", "$(", "$[", "{%", "<%", "%(", "op://", "ENC[", "<path:", "ref+", "vault:", "$__", "arn:aws:"}
	variable = regexp.MustCompile(`^(\$\w+|%\w+%|[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|process\.env\.\w+|os\.environ.*)$`)
	masked   = regexp.MustCompile(`^(<.*>|\[.*\]|\*+|x+|X+|\.+|-+|…|(?i:your|replace|insert|enter|todo)[-_ ].*|(?i:redacted|placeholder|masked|hidden))$`)
	hashed   = regexp.MustCompile(`^(\$(2[abxy]?|5|6|7|y|apr1|argon2(id|i|d)?|pbkdf2[\w-]*|scrypt)\$|\{(SHA|SSHA|CRYPT|MD5)\w*\}|SCRAM-SHA|md5[0-9a-f]{32}$|sha(1|256|384|512)[:-]|pbkdf2:|scrypt:|bcrypt:)`)
)

// StandsIn reports whether a value only stands for one that comes from
// elsewhere: a variable, a template, a reference to a vault, an encrypted or
// hashed text, or nothing at all.
func StandsIn(value string) bool {
	value = strings.TrimSpace(value)
	if value == "" {
		return true
	}
	for _, mark := range standIns {
		if strings.Contains(value, mark) {
			return true
		}
	}
	return variable.MatchString(value) || masked.MatchString(value) || hashed.MatchString(value)
}

// settings are values that switch something, or choose how it is done.
var settings = []string{
	"true", "false", "yes", "no", "on", "off", "none", "null", "nil", "undefined", "disabled", "enabled", "disable", "enable",
	"auto", "default", "required", "optional", "random", "generate", "generated", "never", "always", "ask", "prompt",
	"basic", "plain", "bearer", "oauth", "oauth2", "jwt", "trust", "scram-sha-256", "md5", "inherit", "env", "file", "vault",
	"string", "str", "text", "ldap", "local", "kubernetes", "dummy", "fake", "unused", "notused", "not-used", "n/a",
}

var number = regexp.MustCompile(`^[0-9.,_]{1,5}$|^\d+(\.\d+)?(ns|us|ms|s|m|h|d|w|[kKMGT]i?B?)$`)

// isSetting reports whether a value is a number or a word that chooses
// something. Longer numbers may be passwords as well as anything else.
func isSetting(value string) bool {
	return number.MatchString(value) || slices.Contains(settings, strings.ToLower(value))
}

var fileName = regexp.MustCompile(`^[\w.-]+\.(key|pem|crt|cer|json|txt|ya?ml|toml|env|conf|cfg|ini|p12|pfx|jks|sh|age|asc|gpg|token|secret|password)$`)

// isPlace reports whether a value is a path, the name of a file or a URL.
func isPlace(value string) bool {
	for _, start := range []string{"/", "./", "../", "~/", "file:", "env:", "http://", "https://"} {
		if strings.HasPrefix(value, start) {
			return true
		}
	}
	return fileName.MatchString(value)
}

var (
	objectName = regexp.MustCompile(`^[a-z]+([-._][a-z]+)+\d?$`)
	word       = regexp.MustCompile(`^[A-Za-z]+$`)
)

// isObjectName reports whether a value reads as the name of an object or key:
// words without digits, joined by dashes, dots or underscores.
func isObjectName(value string) bool { return objectName.MatchString(value) }

// isProse reports whether a value is a label for people rather than a few words
// that someone has chosen to remember.
func isProse(value string) bool {
	return strings.Count(value, " ") > 3 || strings.Contains(strings.ToLower(value), "password")
}

// isWord reports whether a value may be a single word.
func isWord(value string) bool { return word.MatchString(value) && len(value) < 20 }

// namesCredential reports whether a value is itself a name of credentials, as
// a reference to the key of a Secret is.
func namesCredential(value string) bool {
	if len(value) > 48 || strings.IndexFunc(value, unicode.IsDigit) >= 0 {
		return false
	}
	parts := words(value)
	if len(parts) == 0 {
		return false
	}
	last := parts[len(parts)-1]
	for _, vocabulary := range [][]string{passwords, generic, {"key", "auth"}} {
		if slices.Contains(vocabulary, last) {
			return len(parts) > 1 && !isCamel(value) || len(parts) == 1
		}
	}
	return false
}

// isCamel reports whether a value joins its words by capitals.
func isCamel(value string) bool { return !strings.ContainsAny(value, "-_. /") }

// numbered matches a word with a number behind it, as names of objects have.
var numbered = regexp.MustCompile(`^[A-Za-z]+\d{1,4}$`)

// isRandom reports whether a value looks made by a machine: long, without
// words, and of characters that hardly repeat.
func isRandom(value string) bool {
	if len(value) < 16 || strings.ContainsAny(value, " \t") {
		return false
	}
	digits := strings.IndexFunc(value, unicode.IsDigit) >= 0
	lower := strings.IndexFunc(value, unicode.IsLower) >= 0
	upper := strings.IndexFunc(value, unicode.IsUpper) >= 0
	if !digits || !lower && !upper {
		return lower && upper && len(value) >= 24 && entropy(value) > 4
	}
	for _, part := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("-_.:/", r) }) {
		mixed := strings.IndexFunc(part, unicode.IsDigit) >= 0 && strings.IndexFunc(part, unicode.IsLetter) >= 0
		if mixed && len(part) >= 8 && !numbered.MatchString(part) && entropy(value) > 2.8 {
			return true
		}
	}
	return false
}

// entropy returns the bits that a character of the text carries.
func entropy(text string) float64 {
	var count [256]int
	for i := range len(text) {
		count[text[i]]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			share := float64(n) / float64(len(text))
			bits -= share * math.Log2(share)
		}
	}
	return bits
}
