package islands

import (
	"net/netip"
	"regexp"
	"strings"
)

// address is an address, or a range in CIDR notation, as it stands in a text.
type address struct {
	text   string
	prefix netip.Prefix
}

var (
	ipv4 = regexp.MustCompile(`\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?:/\d{1,2})?`)
	ipv6 = regexp.MustCompile(`[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?:/\d{1,3})?`)
)

// addresses finds the addresses in a line of text. Version numbers of four
// parts are told from addresses by what stands before them.
func addresses(line string) []address {
	var found []address
	if strings.Count(line, ".") >= 3 {
		found = match(found, line, ipv4)
	}
	if strings.Count(line, ":") >= 2 {
		found = match(found, line, ipv6)
	}
	return found
}

func match(found []address, line string, pattern *regexp.Regexp) []address {
	for _, at := range pattern.FindAllStringIndex(line, -1) {
		if !isWhole(line, at[0], at[1]) || isTag(line, at[0]) {
			continue
		}
		text := line[at[0]:at[1]]
		if prefix, ok := parse(text); ok {
			found = append(found, address{text, prefix})
		}
	}
	return found
}

// isWhole reports whether a match is not just a part of a longer word or number.
func isWhole(line string, start, end int) bool {
	if start > 0 && (isWord(line[start-1]) || line[start-1] == '.') {
		return false
	}
	if end == len(line) {
		return true
	}
	next := line[end]
	if next == '.' {
		return end+1 == len(line) || line[end+1] < '0' || line[end+1] > '9'
	}
	return !isWord(next)
}

// isTag reports whether what begins at start is the tag of an image: it stands
// behind the colon of image:tag.
func isTag(line string, start int) bool {
	before, ok := strings.CutSuffix(line[:start], ":")
	if !ok {
		return false
	}
	word := before[strings.LastIndexAny(before, " \t\"'=,")+1:]
	return strings.Contains(word, "/")
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func parse(text string) (netip.Prefix, bool) {
	if strings.Contains(text, "/") {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			return prefix, true
		}
		text, _, _ = strings.Cut(text, "/")
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, addr.BitLen()), true
}
