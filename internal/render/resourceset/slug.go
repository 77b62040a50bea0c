package resourceset

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxSlug is how long the value of a label may be.
const maxSlug = 63

// latin spells letters that are no accented form of a Latin one.
var latin = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ł': "l", 'þ': "th", 'ı': "i", 'ħ': "h", 'ŋ': "ng", '&': "and", '@': "at",
	'"': "", '\'': "", '’': "", '‘': "", '“': "", '”': "",
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ж': "zh", 'з': "z", 'и': "i", 'к': "k", 'л': "l",
	'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch",
	'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y", 'ь': "", 'э': "e", 'ю': "iu", 'я': "ia", 'є': "ie", 'і': "i", 'ґ': "g",
	'α': "a", 'β': "b", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "e", 'θ': "th", 'ι': "i", 'κ': "k", 'λ': "l", 'μ': "m", 'ν': "n",
	'ξ': "x", 'ο': "o", 'π': "p", 'ρ': "r", 'σ': "s", 'ς': "s", 'τ': "t", 'υ': "u", 'φ': "ph", 'χ': "kh", 'ψ': "ps", 'ω': "o",
}

// Slugify makes text the value of a label: lower-case words of Latin letters
// and digits, joined by hyphens, and no more words than fit. Letters of other
// scripts than Latin, Greek and Cyrillic are left out.
func Slugify(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(text)) {
		spelled, known := latin[r]
		switch {
		case unicode.Is(unicode.Mn, r):
		case known:
			b.WriteString(spelled)
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_':
			b.WriteRune(r)
		default:
			b.WriteByte('-')
		}
	}
	words := strings.FieldsFunc(b.String(), func(r rune) bool { return r == '-' })
	slug := ""
	for i, word := range words {
		next := word
		if i > 0 {
			next = slug + "-" + word
		}
		if len(next) > maxSlug {
			break
		}
		slug = next
	}
	if slug == "" && len(words) > 0 {
		slug = words[0][:min(len(words[0]), maxSlug)]
	}
	return strings.Trim(slug, "-_")
}
