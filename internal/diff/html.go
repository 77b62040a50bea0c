package diff

import (
	_ "embed"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"clean": clean,
	"lines": func(f Field) []pageLine {
		var lines []pageLine
		for _, l := range f.lines() {
			lines = append(lines, pageLine{classes[l.mark], l.text})
		}
		return lines
	},
	"title":  func(a *Application) string { return clean(a.title()) },
	"name":   func(o *Object) string { return clean(o.title()) },
	"path":   func(f Field) string { return clean(f.title()) },
	"beside": func(f Field, o *Object) string { return clean(f.placeBeside(o)) },
	"whole": func(o *Object) []string {
		content := o.After
		if content == nil {
			content = o.Before
		}
		return shown(content)
	},
}).Parse(pageText))

// pageLine is a line of a difference, with what it is in the page's style.
type pageLine struct{ Class, Text string }

var classes = map[byte]string{'+': "added", '-': "removed", '~': "changed", ' ': "same", '@': "same"}

// WriteHTML writes a report as one page that needs nothing else: no scripts, no
// fonts, no pictures. Applications fold.
func WriteHTML(out io.Writer, r *Report) error { return page.Execute(out, r) }
