package yamltext

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// words are the plain scalars that YAML 1.1 takes for something else than text.
var words = map[string]any{
	"y": true, "Y": true, "yes": true, "Yes": true, "YES": true, "true": true, "True": true, "TRUE": true, "on": true, "On": true, "ON": true,
	"n": false, "N": false, "no": false, "No": false, "NO": false, "false": false, "False": false, "FALSE": false, "off": false, "Off": false, "OFF": false,
	"~": nil, "null": nil, "Null": nil, "NULL": nil,
	".nan": notFinite, ".NaN": notFinite, ".NAN": notFinite, ".inf": notFinite, ".Inf": notFinite, ".INF": notFinite,
	"+.inf": notFinite, "+.Inf": notFinite, "+.INF": notFinite, "-.inf": notFinite, "-.Inf": notFinite, "-.INF": notFinite,
}

// notFinite stands for numbers that JSON does not know.
const notFinite = "not finite"

// special has the bytes that scalars begin with which may not be text.
var special = bytesOf("yYnNtTfFoO~.+-0123456789")

// numeric has the bytes that numbers and timestamps consist of. A text that
// holds any other is neither.
var numeric = bytesOf("0123456789abcdefABCDEF_xXoOpP.+-:tTzZ ")

func bytesOf(list string) (set [256]bool) {
	for i := range len(list) {
		set[list[i]] = true
	}
	return set
}

var (
	decimal    = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	base60     = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`)
)

var timestamps = []string{"2006-1-2T15:4:5.999999999Z07:00", "2006-1-2t15:4:5.999999999Z07:00", "2006-1-2 15:4:5.999999999", "2006-1-2"}

// isText tells whether a plain scalar is text, and nothing else.
func isText(s string) bool {
	if s == "" {
		return false
	}
	c := s[0]
	if !special[c] {
		return true
	}
	if _, word := words[s]; word {
		return false
	}
	switch {
	case c == '.':
		_, err := strconv.ParseFloat(s, 64)
		return err != nil
	case c == '+' || c == '-' || c >= '0' && c <= '9':
		return !isNumeric(s)
	}
	return true
}

// isNumeric tells whether a scalar that begins with a digit or a sign is a
// number or a timestamp.
func isNumeric(s string) bool {
	for i := range len(s) {
		if !numeric[s[i]] {
			return false
		}
	}
	if isTimestamp(s) {
		return true
	}
	s = strings.ReplaceAll(s, "_", "")
	if _, err := strconv.ParseInt(s, 0, 64); err == nil {
		return true
	}
	if _, err := strconv.ParseUint(s, 0, 64); err == nil {
		return true
	}
	if decimal.MatchString(s) {
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			return true
		}
	}
	return isBinary(s)
}

func isBinary(s string) bool {
	digits, ok := strings.CutPrefix(s, "0b")
	if !ok {
		if digits, ok = strings.CutPrefix(s, "-0b"); !ok {
			return false
		}
		digits = "-" + digits
	}
	if _, err := strconv.ParseInt(digits, 2, 64); err == nil {
		return true
	}
	_, err := strconv.ParseUint(digits, 2, 64)
	return err == nil
}

func isTimestamp(s string) bool {
	if len(s) < 5 || s[4] != '-' {
		return false
	}
	for i := range 4 {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	for _, layout := range timestamps {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

// isBase60 finds what an older YAML takes for a number: it is quoted.
func isBase60(s string) bool {
	return strings.IndexByte(s, ':') > 0 && base60.MatchString(s)
}

// isInteger tells whether s is a whole number as JSON and Go print it, short
// enough for a float to hold.
func isInteger(s string) bool {
	s = strings.TrimPrefix(s, "-")
	if s == "" || len(s) > 15 || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// printable tells whether a string holds nothing but line ends, tabs and
// characters that YAML shows as they are, and whether it is all ASCII.
func printable(s string) (ok, ascii bool) {
	ascii = true
	for i := range len(s) {
		c := s[i]
		if c >= 0x80 {
			ascii = false
		} else if c < 0x20 && c != '\n' && c != '\t' || c == 0x7f {
			return false, ascii
		}
	}
	if ascii {
		return true, true
	}
	for _, r := range s {
		if r >= 0x80 && (r < 0xA0 || r > 0xD7FF || r == 0x2028 || r == 0x2029) {
			return false, false
		}
	}
	return true, false
}
