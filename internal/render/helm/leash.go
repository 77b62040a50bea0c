package helm

import (
	"context"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
)

// Helm's engine cannot be told to stop. So what it executes is put on a leash: at
// the beginning of each file, definition and turn of a loop stands a call of a
// function that writes nothing, and fails once time is up. Lines stay the same.
// A text that reaches tpl has none of its own; what it includes has.

// stepFunction is what stands there.
const stepFunction = "hearthStep"

// stepping returns that function.
func stepping(ctx context.Context) func() (string, error) {
	return func() (string, error) { return "", ctx.Err() }
}

// swap gives a chart and its subcharts other templates, and returns the real ones
// by those.
func swap(c *chart.Chart, text func(*common.File) []byte) map[*common.File]*common.File {
	real := map[*common.File]*common.File{}
	eachChart(c, func(of *chart.Chart) {
		others := make([]*common.File, len(of.Templates))
		for i, file := range of.Templates {
			if file != nil {
				others[i] = &common.File{Name: file.Name, ModTime: file.ModTime, Data: text(file)}
				real[others[i]] = file
			}
		}
		of.Templates = others
	})
	return real
}

func eachChart(c *chart.Chart, f func(*chart.Chart)) {
	f(c)
	for _, sub := range c.Dependencies() {
		eachChart(sub, f)
	}
}

func leashedFile(file *common.File) []byte { return []byte(leashed(string(file.Data))) }

// leashed puts a template on the leash.
func leashed(text string) string {
	var out strings.Builder
	out.WriteString("{{ " + stepFunction + " }}")
	for text != "" {
		open := strings.Index(text, "{{")
		if open < 0 {
			break
		}
		out.WriteString(text[:open])
		text = text[open:]
		end, keyword, trims := actionOf(text)
		if end < 0 {
			break // Helm says what is wrong with it
		}
		out.WriteString(text[:end])
		text = text[end:]
		// An empty definition does not replace one of the same name: it stays so.
		if keyword != "range" && (keyword != "define" && keyword != "block" || endsAtOnce(text)) {
			continue
		}
		if trims {
			out.WriteString("{{ " + stepFunction + " -}}")
		} else {
			out.WriteString("{{ " + stepFunction + " }}")
		}
	}
	out.WriteString(text)
	return out.String()
}

// actionOf reads the action that a text begins with: where it ends, -1 where it
// does not, its first word, and whether it trims what follows.
func actionOf(text string) (end int, keyword string, trims bool) {
	inner := strings.TrimPrefix(text[2:], "-")
	inner = strings.TrimLeft(inner, " \t\r\n")
	at := len(text) - len(inner)
	if strings.HasPrefix(inner, "/*") {
		comment := strings.Index(inner, "*/")
		if comment < 0 {
			return -1, "", false
		}
		at += comment + len("*/")
	} else {
		keyword = inner[:len(inner)-len(strings.TrimLeft(inner, "abcdefghijklmnopqrstuvwxyz"))]
	}
	for ; at < len(text); at++ {
		switch c := text[at]; {
		case c == '"' || c == '\'' || c == '`':
			if at = quoted(text, at); at < 0 {
				return -1, "", false
			}
		case strings.HasPrefix(text[at:], "}}"):
			return at + 2, keyword, text[at-1] == '-' && strings.ContainsRune(" \t\r\n", rune(text[at-2]))
		}
	}
	return -1, "", false
}

// quoted returns where what is quoted ends, or -1.
func quoted(text string, at int) int {
	quote := text[at]
	for at++; at < len(text); at++ {
		switch {
		case text[at] == quote:
			return at
		case text[at] == '\\' && quote != '`':
			at++
		}
	}
	return -1
}

// endsAtOnce reports whether nothing but blanks and comments comes before an end.
func endsAtOnce(text string) bool {
	for {
		text = strings.TrimLeft(text, " \t\r\n")
		if !strings.HasPrefix(text, "{{") {
			return false
		}
		end, keyword, _ := actionOf(text)
		if end < 0 || keyword != "" {
			return keyword == "end"
		}
		if !strings.Contains(text[:end], "/*") {
			return false
		}
		text = text[end:]
	}
}
