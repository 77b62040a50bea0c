package yamltext

import (
	"strings"
	"unicode/utf8"
)

// text writes a string of one line. Where fold is set it is broken at the
// spaces behind the library's width; indent is that of the collection around.
func (w *writer) text(s string, indent int, fold bool) error {
	ok, _ := printable(s)
	if !ok {
		return ErrUnsure
	}
	column := 0
	if fold {
		fold = len(s) > width/2 && strings.IndexByte(s, ' ') >= 0
		if fold {
			column = utf8.RuneCount(w.out[lineStart(w.out):])
		}
	}
	f := folding{w: w, s: s, indent: indent + 2, column: column, on: fold}
	switch {
	case !isText(s) || isBase60(s) || strings.IndexByte(s, '\t') >= 0:
		f.double()
	case plainAllowed(s):
		f.plain()
	default:
		f.single()
	}
	return nil
}

func lineStart(out []byte) int {
	for i := len(out); i > 0; i-- {
		if out[i-1] == '\n' {
			return i
		}
	}
	return 0
}

// plainAllowed tells whether a string of one line needs no quotes because of
// the characters in it.
func plainAllowed(s string) bool {
	if s[0] == ' ' || s[len(s)-1] == ' ' || strings.HasPrefix(s, "---") || strings.HasPrefix(s, "...") {
		return false
	}
	switch s[0] {
	case '#', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`':
		return false
	case '?', '-':
		if len(s) == 1 || s[1] == ' ' {
			return false
		}
	}
	for i := range len(s) {
		switch s[i] {
		case ':':
			if i+1 == len(s) || s[i+1] == ' ' {
				return false
			}
		case '#':
			if i > 0 && s[i-1] == ' ' {
				return false
			}
		}
	}
	return true
}

// folding writes one string, and breaks its lines.
type folding struct {
	w              *writer
	s              string
	indent, column int
	on             bool
}

func (f *folding) plain() {
	if !f.on {
		f.w.out = append(f.w.out, f.s...)
		return
	}
	spaces := false
	for i := 0; i < len(f.s); i++ {
		if f.s[i] != ' ' {
			spaces = false
		} else {
			if !spaces && f.column > width && f.s[i+1] != ' ' {
				f.fold()
				spaces = true
				continue
			}
			spaces = true
		}
		f.put(f.s[i])
	}
}

func (f *folding) single() {
	f.put('\'')
	spaces := false
	for i := 0; i < len(f.s); i++ {
		if f.s[i] != ' ' {
			spaces = false
		} else {
			if f.on && !spaces && f.column > width && i > 0 && i < len(f.s)-1 && f.s[i+1] != ' ' {
				f.fold()
				spaces = true
				continue
			}
			spaces = true
		}
		if f.s[i] == '\'' {
			f.put('\'')
		}
		f.put(f.s[i])
	}
	f.put('\'')
}

func (f *folding) double() {
	f.put('"')
	spaces := false
	for i := 0; i < len(f.s); i++ {
		switch c := f.s[i]; c {
		case '"', '\\':
			f.put('\\')
			f.put(c)
			spaces = false
		case '\n':
			f.put('\\')
			f.put('n')
			spaces = false
		case '\t':
			f.put('\\')
			f.put('t')
			spaces = false
		case ' ':
			if f.on && !spaces && f.column > width && i > 0 && i < len(f.s)-1 {
				f.fold()
				if f.s[i+1] == ' ' {
					f.put('\\')
				}
			} else {
				f.put(c)
			}
			spaces = true
		default:
			f.put(c)
			spaces = false
		}
	}
	f.put('"')
}

func (f *folding) put(c byte) {
	f.w.out = append(f.w.out, c)
	if utf8.RuneStart(c) {
		f.column++
	}
}

func (f *folding) fold() {
	f.w.out = append(f.w.out, '\n')
	f.w.pad(f.indent)
	f.column = f.indent
}

// lines writes a string of several lines, and ends the last one.
func (w *writer) lines(s string, indent int) error {
	if ok, _ := printable(s); !ok {
		return ErrUnsure
	}
	if strings.IndexByte(s, '\t') >= 0 || s[len(s)-1] == ' ' || strings.Contains(s, " \n") {
		f := folding{w: w, s: s, indent: indent + 2, column: utf8.RuneCount(w.out[lineStart(w.out):]), on: true}
		f.double()
		w.out = append(w.out, '\n')
		return nil
	}
	w.out = append(w.out, '|')
	if s[0] == ' ' || s[0] == '\n' {
		w.out = append(w.out, '2')
	}
	switch {
	case s[len(s)-1] != '\n':
		w.out = append(w.out, '-')
	case len(s) == 1 || s[len(s)-2] == '\n':
		w.out = append(w.out, '+')
	}
	w.out = append(w.out, '\n')
	for len(s) > 0 {
		line, rest, _ := strings.Cut(s, "\n")
		if line != "" {
			w.pad(indent + 2)
			w.out = append(w.out, line...)
		}
		w.out = append(w.out, '\n')
		s = rest
	}
	return nil
}
