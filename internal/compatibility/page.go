package compatibility

import (
	"fmt"
	"io"
	"strings"
)

const head = `# Compatibility

What of each kind's fields works, and which test shows it. A line holds for all
fields below the one it names, unless they have lines of their own.

Generated from ` + "`internal/compatibility/fields`" + `; a test fails for a field of a
definition that has no line, and for a line whose test does not exist.
`

// Page writes the page for users, in Markdown.
func Page(w io.Writer, kinds []Kind) error {
	var b strings.Builder
	b.WriteString(head)
	for _, kind := range kinds {
		fmt.Fprintf(&b, "\n## %s\n\n", kind.Name)
		if len(kind.About) > 0 {
			fmt.Fprintf(&b, "%s\n\n", strings.Join(kind.About, " "))
		}
		b.WriteString("| field | | shown by |\n| --- | --- | --- |\n")
		for _, line := range kind.Lines {
			if line.Why != "" {
				fmt.Fprintf(&b, "| `%s` | not yet | %s |\n", line.Field, cell(line.Why))
				continue
			}
			fmt.Fprintf(&b, "| `%s` | works | %s |\n", line.Field, cell(strings.Join(line.Tests, ", ")))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
