package sops

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rule says which values of a document are encrypted.
type rule struct {
	// matches looks at a key of the path, or at a comment before the value.
	matches  func(string) bool
	comments bool
	// encrypts says that what matches is encrypted, rather than all else.
	encrypts bool
}

// encrypted reports whether the value at a path is. A comment that makes what
// follows it encrypted is not encrypted itself.
func (r rule) encrypted(path []string, comments [][]string, isComment bool) bool {
	if !r.comments {
		return slices.ContainsFunc(path, r.matches) == r.encrypts
	}
	for level, list := range comments {
		if isComment && r.encrypts && level == len(comments)-1 {
			list = list[:len(list)-1]
		}
		if slices.ContainsFunc(list, r.matches) {
			return r.encrypts
		}
	}
	return !r.encrypts
}

// rule returns the one that a document was encrypted by. By default all is
// encrypted but what has the suffix _unencrypted.
func (m *metadata) rule() (rule, error) {
	var rules []rule
	for _, s := range []struct {
		suffix   string
		encrypts bool
	}{{m.UnencryptedSuffix, false}, {m.EncryptedSuffix, true}} {
		if s.suffix != "" {
			rules = append(rules, rule{matches: func(key string) bool { return strings.HasSuffix(key, s.suffix) }, encrypts: s.encrypts})
		}
	}
	for _, p := range []struct {
		pattern            string
		encrypts, comments bool
	}{{m.UnencryptedRegex, false, false}, {m.EncryptedRegex, true, false}, {m.UnencryptedCommentRegex, false, true}, {m.EncryptedCommentRegex, true, true}} {
		if p.pattern == "" {
			continue
		}
		expr, err := regexp.Compile(p.pattern)
		if err != nil {
			return rule{}, fmt.Errorf("its metadata has an invalid regular expression: %w", err)
		}
		rules = append(rules, rule{matches: expr.MatchString, encrypts: p.encrypts, comments: p.comments})
	}
	switch len(rules) {
	case 0:
		return rule{matches: func(key string) bool { return strings.HasSuffix(key, "_unencrypted") }}, nil
	case 1:
		return rules[0], nil
	}
	return rule{}, errors.New("its metadata has more than one rule of what is encrypted")
}
