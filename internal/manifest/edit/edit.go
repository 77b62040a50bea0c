package edit

import (
	"strconv"
	"strings"
)

// Op is what an edit does.
type Op string

// The operations.
const (
	OpSet     Op = "set"     // give a field a single value, inserting it where it is missing
	OpInsert  Op = "insert"  // add entries to a mapping, or items to a list
	OpRemove  Op = "remove"  // take out a mapping entry or a list item
	OpComment Op = "comment" // put a comment line above a line
	// OpUncomment takes a comment out: its whole line where nothing else stands there.
	OpUncomment Op = "uncomment"
)

// The types of a value that is set, named as JSON Schema names them.
const (
	typeString  = "string"
	typeInteger = "integer"
	typeBoolean = "boolean"
)

// Edit is one change to a file. Edits are comparable: equal ones are one edit.
// The value is printed, so it must not be a secret's.
type Edit struct {
	File string `json:"file"`
	// Line is any line of the document that is edited, from 1, as
	// manifest.Document.Line is; 0 means the only document of the file. Of a
	// comment to put it is the line below it, of one to take out its own.
	Line int `json:"line"`
	Op   Op  `json:"op"`
	// Path leads to the field, as a JSON Pointer (RFC 6901). Of an insertion it
	// leads to the mapping or list that grows. It may lead into the text of a literal block
	// scalar that is YAML itself.
	Path string `json:"path,omitempty"`
	// Value is the value to set, the YAML to insert, or the comment.
	Value string `json:"value,omitempty"`
	// Type is that of a value to set: string, integer or boolean.
	Type string `json:"type,omitempty"`
}

// Set gives the field at a path a value: its text is replaced in the quoting that it
// has, or it is inserted with the mappings that lead to it. A string stays
// a string however it looks; numbers and booleans are given as such. List items
// are named by their index, from 0; they are not created.
func Set[V string | int | bool](file string, line int, path []string, value V) Edit {
	e := Edit{File: file, Line: line, Op: OpSet, Path: pointer(path)}
	switch v := any(value).(type) {
	case string:
		e.Type, e.Value = typeString, v
	case int:
		e.Type, e.Value = typeInteger, strconv.Itoa(v)
	case bool:
		e.Type, e.Value = typeBoolean, strconv.FormatBool(v)
	}
	return e
}

// Insert adds to the mapping or list at a path, behind its last child. What is added is
// block YAML without indentation: entries ("a: 1") for a mapping, items
// ("- name: x") for a list. Mappings and lists that are missing on the way are created.
func Insert(file string, line int, path []string, yaml string) Edit {
	yaml = strings.TrimRight(strings.ReplaceAll(yaml, "\r\n", "\n"), "\n ")
	return Edit{File: file, Line: line, Op: OpInsert, Path: pointer(path), Value: yaml}
}

// Remove takes out the mapping entry or list item at a path, with the comments
// on its lines and directly above it. The last child leaves an empty mapping or
// list behind. Comments above the first entry of a document stay, since they tend to
// be about all of it.
func Remove(file string, line int, path []string) Edit {
	return Edit{File: file, Line: line, Op: OpRemove, Path: pointer(path)}
}

// CommentAbove puts a comment above a line of the file, indented like it. The
// text is one line; its "# " is added where it is missing.
func CommentAbove(file string, line int, text string) Edit {
	if !strings.HasPrefix(text, "#") {
		text = "# " + text
	}
	return Edit{File: file, Line: line, Op: OpComment, Value: text}
}

// Uncomment takes out the comment that a line of the file ends with, and the
// line with it where nothing else stands there. The comment is given from its
// "#" on, so that no other is taken out.
func Uncomment(file string, line int, comment string) Edit {
	return Edit{File: file, Line: line, Op: OpUncomment, Value: strings.TrimRight(comment, " \t")}
}

// aboutComment reports whether no value changes.
func (e Edit) aboutComment() bool { return e.Op == OpComment || e.Op == OpUncomment }

// Steps returns the field path.
func (e Edit) Steps() []string { return steps(e.Path) }
