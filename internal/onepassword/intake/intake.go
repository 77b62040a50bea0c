// Package intake reads secrets as other programs write them down, so that
// they can be taken over into a vault file: the JSON of 1Password's command
// line (op item list, op item get), .env files and CSV.
//
// Errors name lines, and never cite what stands there.
package intake

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"hearth/internal/onepassword"
)

// Format is how secrets are written down.
type Format string

// The formats.
const (
	OP  Format = "op"
	Env Format = "env"
	CSV Format = "csv"
)

// Bounds of what is read.
const (
	MaxSize   = 32 << 20 // bytes
	maxItems  = 50_000
	maxFields = 2_000
)

// Options says what a text leaves open.
type Options struct {
	// Format of the text; empty is what its name or its beginning tells.
	Format Format
	// Vault is where everything goes; empty is where the text says.
	Vault string
	// Item is the title of the item that fields belong to where the text names none.
	Item string
}

// Result is what was read.
type Result struct {
	Items []onepassword.Imported
	// Left tells what was not taken over, and why, without values.
	Left []string
}

// Error is a fault in a text.
type Error struct {
	File    string
	Line    int // 0 where unknown
	Problem string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("import %s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("import %s:%d: %s", e.File, e.Line, e.Problem)
}

// Parse reads a text; name is its file's name. All errors are an *Error.
func Parse(name string, data []byte, o Options) (Result, error) {
	if len(data) > MaxSize {
		return Result{}, &Error{File: name, Problem: fmt.Sprintf("is larger than %d MiB", MaxSize>>20)}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // spreadsheets put it there
	format := o.Format
	if format == "" {
		format = guess(name, data)
	}
	t := &text{name: name, options: o}
	var err error
	switch format {
	case OP:
		err = t.op(data)
	case Env:
		err = t.env(data)
	case CSV:
		err = t.csv(data)
	default:
		err = t.fault(0, "its format is not known: say --format op, env or csv")
	}
	if err != nil {
		return Result{}, err
	}
	return Result{Items: t.items, Left: t.left}, nil
}

func guess(name string, data []byte) Format {
	base := strings.ToLower(filepath.Base(name))
	switch {
	case strings.HasSuffix(base, ".json"):
		return OP
	case strings.HasSuffix(base, ".csv"):
		return CSV
	case strings.HasSuffix(base, ".env") || strings.HasPrefix(base, ".env"):
		return Env
	}
	if start := bytes.TrimSpace(data); len(start) > 0 && (start[0] == '[' || start[0] == '{') {
		return OP
	}
	return ""
}

// text collects what one text holds.
type text struct {
	name    string
	options Options
	items   []onepassword.Imported
	left    []string
}

func (t *text) fault(line int, problem string) error {
	return &Error{File: t.name, Line: line, Problem: problem}
}

// add takes an item that the text says to be in a vault.
func (t *text) add(vault string, item onepassword.Item, line int) error {
	switch {
	case item.Title == "":
		return t.fault(line, "an item has no title")
	case len(t.items) >= maxItems:
		return t.fault(line, fmt.Sprintf("there are more than %d items", maxItems))
	case len(item.Fields) > maxFields:
		return t.fault(line, fmt.Sprintf("an item has more than %d fields", maxFields))
	}
	if t.options.Vault != "" {
		vault = t.options.Vault
	}
	if item.Category == "" {
		item.Category = "LOGIN"
	}
	t.items = append(t.items, onepassword.Imported{Vault: vault, Item: item})
	return nil
}

// addField takes a field of the item of a title.
func (t *text) addField(title string, f onepassword.Field, line int) error {
	if title == "" {
		title = t.options.Item
	}
	if title == "" {
		return t.fault(line, "it names no item: say which one with --item")
	}
	i := slices.IndexFunc(t.items, func(in onepassword.Imported) bool { return in.Item.Title == title })
	if i < 0 {
		return t.add("", onepassword.Item{Title: title, Fields: []onepassword.Field{f}}, line)
	}
	item := &t.items[i].Item
	if len(item.Fields) >= maxFields {
		return t.fault(line, fmt.Sprintf("an item has more than %d fields", maxFields))
	}
	if slices.ContainsFunc(item.Fields, func(g onepassword.Field) bool { return g.Label == f.Label && g.Section == f.Section }) {
		return t.fault(line, "the field is given twice")
	}
	item.Fields = append(item.Fields, f)
	return nil
}
