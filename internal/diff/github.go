package diff

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// maxComment bounds a comment, in bytes: GitHub takes 65,536 characters.
const maxComment = 60_000

// WriteGitHub writes a report as Markdown for a comment on a pull request: what
// an apply refuses or destroys first, then each application folded away. What
// would be too long for a comment is left out, and counted.
func WriteGitHub(out io.Writer, r *Report) error {
	var text strings.Builder
	fmt.Fprintf(&text, "### What this change does to the cluster\n\n%s\n", markdown(r.Summary()))
	text.WriteString(warnings(r))
	for _, note := range r.Notes {
		fmt.Fprintf(&text, "\n> %s\n", markdown(bounded(note, 2_000)))
	}
	left := 0
	for _, app := range r.Applications {
		section := githubSection(app)
		if text.Len()+len(section) > maxComment {
			left++
			continue
		}
		text.WriteString(section)
	}
	if left > 0 {
		fmt.Fprintf(&text, "\n%d more %s in what is too long for a comment: `hearth diff` shows it.\n", left, plural(left, "application differs", "applications differ"))
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// maxWarnings bounds the table of warnings.
const maxWarnings = 50

// warnings is a table of what an apply refuses or destroys.
func warnings(r *Report) string {
	var rows []string
	for _, app := range r.Applications {
		for _, p := range app.Problems {
			rows = append(rows, fmt.Sprintf("| cannot be built | %s | %s |\n", markdown(app.title()), markdown(bounded(p, 500))))
		}
		for _, o := range app.Objects {
			for _, v := range o.Verdicts {
				rows = append(rows, fmt.Sprintf("| **%s** | %s | %s |\n", v.Effect, markdown(o.Ref().String()), markdown(bounded(v.Message, 500))))
			}
		}
	}
	if len(rows) == 0 {
		return ""
	}
	left := len(rows) - maxWarnings
	rows = rows[:min(len(rows), maxWarnings)]
	text := "\n| effect | object | why |\n| --- | --- | --- |\n" + strings.Join(rows, "")
	if left > 0 {
		text += fmt.Sprintf("\nand %d more\n", left)
	}
	return text
}

func githubSection(app *Application) string {
	var text strings.Builder
	fmt.Fprintf(&text, "\n<details><summary><b>%s</b>: %d %s</summary>\n\n", html.EscapeString(clean(app.title())), len(app.Objects), plural(len(app.Objects), "object", "objects"))
	for _, c := range app.Charts {
		fmt.Fprintf(&text, "- %s\n", markdown(c.String()))
	}
	body := &writer{w: &strings.Builder{}}
	for _, o := range app.Objects {
		body.githubObject(o)
	}
	content := body.w.(*strings.Builder).String()
	fence := fenceFor(content)
	fmt.Fprintf(&text, "\n%sdiff\n%s%s\n\n</details>\n", fence, content, fence)
	return text.String()
}

func (w *writer) githubObject(o *Object) {
	w.printf("@@ %s %s%s @@\n", o.Kind, clean(o.title()), at(o.Place.String()))
	for _, f := range o.Fields {
		w.printf("  %s\n", clean(f.title()))
		for _, l := range f.lines() {
			switch l.mark {
			case '@':
				w.printf("      …\n")
			case '~':
				w.printf("!     %s\n", l.text)
			default:
				w.printf("%c     %s\n", l.mark, l.text)
			}
		}
	}
}

// fenceFor is longer than any fence in a text.
func fenceFor(text string) string {
	longest, run := 2, 0
	for _, r := range text {
		if r == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return strings.Repeat("`", longest+1)
}

// markdown makes plain text of what might be read as Markdown or HTML, or name
// somebody.
func markdown(text string) string {
	text = html.EscapeString(clean(text))
	return strings.NewReplacer("|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "@", "@\u200b", "#", "\\#", "~", "\\~").Replace(text)
}

func bounded(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
