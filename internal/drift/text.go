package drift

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxValue bounds a value that is told, in bytes, and maxFields how many
// fields of one object are.
const (
	maxValue  = 120
	maxFields = 12
)

// Was says what a field was before it was corrected, and what it is now.
func (f Field) Was() string {
	by := ""
	if f.Manager != "" {
		by = " (set by " + f.Manager + ")"
	}
	switch {
	case f.Secret && f.Manager != "":
		return f.Path + " (changed by " + f.Manager + ")"
	case f.Secret:
		return f.Path
	case f.Live == nil:
		return fmt.Sprintf("%s was missing, is %s", f.Path, Value(f.Asked))
	case f.Asked == nil:
		return fmt.Sprintf("%s was %s%s, is removed", f.Path, Value(f.Live), by)
	}
	return fmt.Sprintf("%s was %s%s, is %s", f.Path, Value(f.Live), by, Value(f.Asked))
}

// Corrected says in one line which fields of an object were corrected.
func Corrected(name string, fields []Field) string {
	var told []string
	for _, f := range fields[:min(len(fields), maxFields)] {
		told = append(told, f.Was())
	}
	if more := len(fields) - maxFields; more > 0 {
		told = append(told, fmt.Sprintf("and %d more fields", more))
	}
	return name + " corrected: " + strings.Join(told, "; ")
}

// Value writes a value as JSON, shortened where it is long.
func Value(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	text := string(data)
	if s, ok := v.(string); ok && s != "" && !strings.ContainsAny(s, " \t\r\n\"',;") {
		text = s
	}
	if len(text) <= maxValue {
		return text
	}
	cut := maxValue
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
