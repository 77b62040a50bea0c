package credential

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// class is how surely a name says that its value is a credential.
type class int

const (
	plain class = iota
	// weak names are those of credentials, and as often of what refers to one.
	weak
	// strong names are hardly ever anything but a credential's.
	strong
	// password is what is chosen by people, and can be any word.
	password
)

var (
	passwords = []string{"password", "passwords", "passwd", "passphrase", "passwort", "pwd", "pass", "requirepass", "masterauth"}
	// generic words say that a value is a credential, or where it is kept.
	generic = []string{"secret", "token", "credential", "credentials", "apikey", "apitoken", "authtoken", "accesstoken", "privatekey", "secretkey"}
	// kinds, before "key", "secret" or "token", leave no doubt.
	kinds = []string{
		"api", "auth", "access", "client", "encryption", "jwt", "session", "cookie", "bearer", "bot", "refresh", "webhook",
		"app", "shared", "admin", "hmac", "csrf", "signing", "master", "private", "license", "oauth", "oidc", "secret", "storage", "crypt",
	}
	// passes are words before "pass" with which it is no password.
	passes = []string{"proxy", "fastcgi", "uwsgi", "grpc", "pre", "post", "two", "multi", "single", "low", "high", "band", "all", "first", "second", "by"}
	// others, anywhere in a name, say that it is no credential.
	others = []string{"public", "pub", "hash", "hashed", "digest", "checksum", "fingerprint", "encrypted", "site"}
)

var classes sync.Map // of name to class

// classOf tells what a name says about its value. Names that repositories
// repeat thousands of times are looked at once.
func classOf(name string) class {
	if c, ok := classes.Load(name); ok {
		return c.(class)
	}
	c := classify(name)
	if len(name) < 64 {
		classes.Store(name, c)
	}
	return c
}

func classify(name string) class {
	words := words(name)
	if len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return slices.Contains(others, w) }) {
		return plain
	}
	last := words[len(words)-1]
	before := ""
	if len(words) > 1 {
		before = words[len(words)-2]
	}
	switch {
	case last == "pass" && slices.Contains(passes, before):
		return plain
	case slices.Contains(passwords, last), strings.HasSuffix(last, "password"), strings.HasSuffix(last, "passwd"):
		return password
	case strings.HasSuffix(last, "apikey"), strings.HasSuffix(last, "apitoken"):
		return strong
	case before == "secret" && last == "key":
		return orStrong(name)
	case slices.Contains(kinds, before) && (last == "key" || last == "secret" || last == "token"):
		return strong
	case slices.Contains(generic, last):
		return orStrong(name)
	case last == "key" && isVariable(name):
		return weak
	}
	return plain
}

// orStrong is weak, but for variables of the environment: those hold the value
// itself.
func orStrong(name string) class {
	if isVariable(name) {
		return strong
	}
	return weak
}

// isVariable reports whether a name is written as variables of the environment are.
func isVariable(name string) bool {
	for _, r := range name {
		if r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// words takes a name apart: at what is no letter or digit, and where a capital
// begins. The part behind the last slash counts.
func words(name string) []string {
	name = name[strings.LastIndexByte(name, '/')+1:]
	var list []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			list = append(list, strings.ToLower(word.String()))
			word.Reset()
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && i > 0:
			follows := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1]) || unicode.IsUpper(runes[i-1]) && follows {
				flush()
			}
		}
		word.WriteRune(r)
	}
	flush()
	return list
}
