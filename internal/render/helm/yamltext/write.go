package yamltext

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"helm.sh/helm/v4/pkg/chart/common"
)

// Bounds of what is written.
const (
	maxSize  = 16 << 20
	maxDepth = 1000
	// maxKey is the longest key that the library writes before its colon.
	maxKey = 128
	// width is where lines are folded.
	width = 80
)

var (
	// ErrUnsure says that the library has to do it.
	ErrUnsure = errors.New("not plain enough")
	// ErrTooLarge says that nobody should do it.
	ErrTooLarge = errors.New("the YAML would be larger or deeper than a template may make")
)

// Write returns a value as YAML, without the last line's end. The error is
// ErrUnsure or ErrTooLarge.
func Write(value any) (string, error) {
	w := writers.Get().(*writer)
	defer writers.Put(w)
	w.out, w.keys = w.out[:0], w.keys[:0]
	if err := w.root(value); err != nil {
		return "", err
	}
	return strings.TrimSuffix(string(w.out), "\n"), nil
}

var writers = sync.Pool{New: func() any { return &writer{} }}

type writer struct {
	out []byte
	// keys is a stack of the keys of the mappings being written.
	keys  []string
	depth int
}

func (w *writer) root(value any) error {
	w.depth = 0
	if m, ok := asMap(value); ok && len(m) > 0 {
		return w.mapping(m, 0, false)
	}
	if length, ok := asList(value); ok && length > 0 {
		return w.sequence(value, length, 0, false)
	}
	return w.scalar(value, 0)
}

func asMap(value any) (map[string]any, bool) {
	switch m := value.(type) {
	case map[string]any:
		return m, true
	case common.Values:
		return m, true
	}
	return nil, false
}

// asList returns how many entries a list has.
func asList(value any) (int, bool) {
	switch list := value.(type) {
	case []any:
		return len(list), true
	case []string:
		return len(list), true
	case []map[string]any:
		return len(list), true
	case []int:
		return len(list), true
	case []int64:
		return len(list), true
	}
	return 0, false
}

func entry(list any, i int) any {
	switch list := list.(type) {
	case []any:
		return list[i]
	case []string:
		return list[i]
	case []map[string]any:
		return list[i]
	case []int:
		return list[i]
	case []int64:
		return list[i]
	}
	return nil
}

// enter counts a level of nesting, and keeps the whole bounded.
func (w *writer) enter() error {
	if w.depth++; w.depth > maxDepth || len(w.out) > maxSize {
		return ErrTooLarge
	}
	return nil
}

// mapping writes the entries of a mapping; inline says that the first one
// stands behind the dash of a list.
func (w *writer) mapping(m map[string]any, indent int, inline bool) error {
	if err := w.enter(); err != nil {
		return err
	}
	base := len(w.keys)
	for key := range m {
		w.keys = append(w.keys, key)
	}
	sorted := w.keys[base:]
	if len(sorted) > 1 {
		slices.SortFunc(sorted, compareKeys)
	}
	for i := range len(m) {
		key := w.keys[base+i]
		if i > 0 || !inline {
			w.pad(indent)
		}
		if len(key) > maxKey || strings.IndexByte(key, '\n') >= 0 {
			return ErrUnsure
		}
		if _, ascii := printable(key); !ascii {
			return ErrUnsure // their order is another
		}
		if err := w.text(key, indent, false); err != nil {
			return err
		}
		w.out = append(w.out, ':')
		if err := w.below(m[key], indent, indent); err != nil {
			return err
		}
	}
	w.keys = w.keys[:base]
	w.depth--
	return nil
}

// below writes the value of a mapping's entry.
func (w *writer) below(value any, indent, lists int) error {
	if m, ok := asMap(value); ok && len(m) > 0 {
		w.out = append(w.out, '\n')
		return w.mapping(m, indent+2, false)
	}
	if length, ok := asList(value); ok && length > 0 {
		w.out = append(w.out, '\n')
		return w.sequence(value, length, lists, false)
	}
	w.out = append(w.out, ' ')
	return w.scalar(value, indent)
}

func (w *writer) sequence(list any, length, indent int, inline bool) error {
	if err := w.enter(); err != nil {
		return err
	}
	for i := range length {
		if i > 0 || !inline {
			w.pad(indent)
		}
		w.out = append(w.out, '-', ' ')
		value := entry(list, i)
		var err error
		if m, ok := asMap(value); ok && len(m) > 0 {
			err = w.mapping(m, indent+2, true)
		} else if inner, ok := asList(value); ok && inner > 0 {
			err = w.sequence(value, inner, indent+2, true)
		} else {
			err = w.scalar(value, indent)
		}
		if err != nil {
			return err
		}
	}
	w.depth--
	return nil
}

const spaces = "                                                                                "

func (w *writer) pad(indent int) {
	for indent > len(spaces) {
		w.out = append(w.out, spaces...)
		indent -= len(spaces)
	}
	w.out = append(w.out, spaces[:indent]...)
}

// scalar writes what has no entries, and ends its line.
func (w *writer) scalar(value any, indent int) error {
	switch v := value.(type) {
	case string:
		if strings.IndexByte(v, '\n') >= 0 {
			return w.lines(v, indent)
		}
		if err := w.text(v, indent, true); err != nil {
			return err
		}
	case nil:
		w.out = append(w.out, "null"...)
	case bool:
		w.out = strconv.AppendBool(w.out, v)
	case int:
		w.out = strconv.AppendInt(w.out, int64(v), 10)
	case int64:
		w.out = strconv.AppendInt(w.out, v, 10)
	case float64:
		if err := w.float(v); err != nil {
			return err
		}
	case json.Number:
		if err := w.number(string(v)); err != nil {
			return err
		}
	default:
		if m, ok := asMap(value); ok {
			w.empty(m == nil, "{}")
			break
		}
		if _, ok := asList(value); ok {
			w.empty(isNilList(value), "[]")
			break
		}
		return ErrUnsure
	}
	w.out = append(w.out, '\n')
	return nil
}

func isNilList(value any) bool {
	switch list := value.(type) {
	case []any:
		return list == nil
	case []string:
		return list == nil
	case []map[string]any:
		return list == nil
	case []int:
		return list == nil
	case []int64:
		return list == nil
	}
	return false
}

func (w *writer) empty(missing bool, text string) {
	if missing {
		text = "null"
	}
	w.out = append(w.out, text...)
}

// float writes a number as it comes out of JSON: whole if it is.
func (w *writer) float(f float64) error {
	size := max(f, -f)
	switch {
	case size < 1e15 && f == float64(int64(f)):
		w.out = strconv.AppendInt(w.out, int64(f), 10)
	case size > 1e-300 && size < 1e15:
		w.out = strconv.AppendFloat(w.out, f, 'g', -1, 64)
	default:
		return ErrUnsure
	}
	return nil
}

func (w *writer) number(s string) error {
	if isInteger(s) && s != "-0" {
		w.out = append(w.out, s...)
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !strings.ContainsAny(s, ".eE") || !jsonNumber.MatchString(s) {
		return ErrUnsure
	}
	w.out = strconv.AppendFloat(w.out, f, 'g', -1, 64)
	return nil
}

// compareKeys puts keys in the library's order, in which "a2" comes before
// "a10". Both are ASCII.
func compareKeys(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	if i == n {
		return len(a) - len(b)
	}
	aLetter, bLetter := isLetter(a[i]), isLetter(b[i])
	switch {
	case aLetter && bLetter:
		return int(a[i]) - int(b[i])
	case bLetter:
		return -1
	case aLetter:
		return 1
	}
	aNumber, aEnd, bNumber, bEnd := int64(0), i, int64(0), i
	if a[i] == '0' || b[i] == '0' {
		for j := i - 1; j >= 0 && isDigit(a[j]); j-- {
			if a[j] != '0' {
				aNumber, bNumber = 1, 1
				break
			}
		}
	}
	for ; aEnd < len(a) && isDigit(a[aEnd]); aEnd++ {
		aNumber = aNumber*10 + int64(a[aEnd]-'0')
	}
	for ; bEnd < len(b) && isDigit(b[bEnd]); bEnd++ {
		bNumber = bNumber*10 + int64(b[bEnd]-'0')
	}
	switch {
	case aNumber < bNumber:
		return -1
	case aNumber > bNumber:
		return 1
	case aEnd != bEnd:
		return aEnd - bEnd
	}
	return int(a[i]) - int(b[i])
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
