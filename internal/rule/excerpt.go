package rule

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"hearth/internal/manifest"
	"hearth/internal/repo"
)

// Excerpt is a line of a file, ready to be shown: control characters are
// spaces, a secret's value is an ellipsis, and a long line is cut.
type Excerpt struct {
	Text string
	// Caret is the character, from 1, that the finding begins at, and Width
	// how many it covers. Both are 0 where there is no text.
	Caret, Width int
}

// longestExcerpt is how many characters of a line are shown.
const longestExcerpt = 160

// texts reads the lines of a repository's files, each file once.
type texts struct {
	root    *os.Root
	secrets map[string][]span

	mu    sync.Mutex
	lines map[string][]string
}

// span is the lines of a document, from first up to but without next.
type span struct {
	first, next int
	secret      bool
}

// openTexts opens the files of a repository. The caller closes root.
func openTexts(r *repo.Repository, root *os.Root) *texts {
	t := &texts{root: root, secrets: map[string][]span{}, lines: map[string][]string{}}
	for _, d := range r.Documents() {
		spans := t.secrets[d.File]
		if n := len(spans); n > 0 {
			spans[n-1].next = d.Line
		}
		t.secrets[d.File] = append(spans, span{first: d.Line, next: 1 << 30, secret: d.Kind() == "Secret"})
	}
	return t
}

// of returns the lines of a file; none where it cannot be read.
func (t *texts) of(file string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines, known := t.lines[file]
	if !known && file != "" {
		if data, err := manifest.Read(t.root, file); err == nil {
			lines = strings.Split(string(data), "\n")
		}
		t.lines[file] = lines
	}
	return lines
}

// line returns one line, from 1, without its end; "" where there is none.
func (t *texts) line(file string, n int) string {
	lines := t.of(file)
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSuffix(lines[n-1], "\r")
}

// locate fills in where on its line a finding stands.
func (t *texts) locate(f *Finding) {
	line := t.line(f.Place.File, f.Place.Line)
	body := strings.TrimLeftFunc(line, unicode.IsSpace)
	if f.Place.Line == 0 || body == "" {
		return
	}
	start, width := len(line)-len(body), utf8.RuneCountInString(strings.TrimRightFunc(body, unicode.IsSpace))
	if i := strings.Index(line, f.Text); f.Text != "" && i >= 0 {
		start, width = i, utf8.RuneCountInString(f.Text)
	}
	f.Column = utf8.RuneCountInString(line[:start]) + 1
	if f.Sensitive || credentialKey.MatchString(line) || t.holdsSecret(f.Place.File, f.Place.Line) {
		line = withoutValue(line)
	}
	f.Excerpt = excerpt(line, f.Column, width)
}

// holdsSecret reports whether a line belongs to a Secret. A file that was not
// understood counts as one where it mentions the kind.
func (t *texts) holdsSecret(file string, line int) bool {
	spans, known := t.secrets[file]
	for _, s := range spans {
		if line >= s.first && line < s.next {
			return s.secret
		}
	}
	return !known && mentionsSecret(t.of(file))
}

var secretKind = regexp.MustCompile(`^\s*"?kind"?:\s*["']?Secret["']?\s*(#.*)?,?\s*$`)

func mentionsSecret(lines []string) bool {
	for _, line := range lines {
		if secretKind.MatchString(line) {
			return true
		}
	}
	return false
}

var keyOfLine = regexp.MustCompile(`^\s*(?:- +)*["']?[A-Za-z_][\w./-]*["']?\s*:(?:\s|$)`)

// credentialKey matches lines whose key says that the value is a credential,
// whatever the rule that speaks of them.
var credentialKey = regexp.MustCompile(`(?i)^\s*(?:- +)*["']?[\w./-]*(?:password|passwd|passphrase|token|api[-_]?key|private[-_]?key|client[-_]?secret)["']?\s*[:=]`)

// withoutValue replaces what follows a line's key, or else all of it.
func withoutValue(line string) string {
	key := keyOfLine.FindString(line)
	if key == "" {
		body := strings.TrimLeftFunc(line, unicode.IsSpace)
		return line[:len(line)-len(body)] + "…"
	}
	if strings.TrimSpace(line[len(key):]) == "" {
		return line
	}
	return key + "…"
}

// excerpt cuts a line to what can be shown around a column.
func excerpt(line string, column, width int) Excerpt {
	shown := []rune(strings.Map(Printable, strings.TrimRightFunc(line, unicode.IsSpace)))
	caret := min(column, len(shown))
	if len(shown) > longestExcerpt {
		from := max(0, min(caret-longestExcerpt/4, len(shown)-longestExcerpt))
		to := from + longestExcerpt
		cut := append([]rune(nil), shown[from:to]...)
		if from > 0 {
			cut[0] = '…'
		}
		if to < len(shown) {
			cut[len(cut)-1] = '…'
		}
		shown, caret = cut, caret-from
	}
	caret = max(1, caret)
	return Excerpt{Text: string(shown), Caret: caret, Width: max(1, min(width, len(shown)-caret+1))}
}

// Printable makes a character safe for a terminal: what controls it, or turns
// the direction of writing, becomes a space.
func Printable(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError {
		return ' '
	}
	return r
}
