package report

import (
	"fmt"
	"io"
	"strings"

	"hearth/internal/diagnose"
)

// Markdown writes a report as a page.
func Markdown(w io.Writer, r *diagnose.Report) error {
	var b strings.Builder
	b.WriteString("# What is wrong\n\n")
	fmt.Fprintf(&b, "%s.\n", escape(Summary(r)))
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", escape(f.Title), escape(f.Sentence))
		if place := placeOf(f); place != "" {
			fmt.Fprintf(&b, "- **At** %s\n", code(place))
		}
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "- **Because** %s\n", escape(evidence(e)))
		}
		fmt.Fprintf(&b, "- **Fix** %s\n- **Confidence** %s (`%s`)\n", escape(f.Fix), f.Confidence, f.Cause)
		commands(&b, f.Commands)
		pageBlocked(&b, f.Blocked)
	}
	for _, u := range r.Unexplained {
		fmt.Fprintf(&b, "\n## No cause found for %s\n\nIt is %s%s. Looked at: %s.\n", escape(u.Object.String()), escape(string(u.State)),
			escape(after(": ", u.Message)), escape(strings.Join(u.LookedAt, ", ")))
		commands(&b, u.Commands)
		pageBlocked(&b, u.Blocked)
	}
	for _, unseen := range r.Unseen {
		fmt.Fprintf(&b, "\nNot looked at: %s\n", escape(unseen))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func commands(b *strings.Builder, list []string) {
	if len(list) == 0 {
		return
	}
	b.WriteString("\n```sh\n")
	for _, c := range list {
		b.WriteString(strings.ReplaceAll(c, "```", "'''") + "\n")
	}
	b.WriteString("```\n")
}

func pageBlocked(b *strings.Builder, list []diagnose.Affected) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\nBlocks %s:\n\n", count(len(list), "object"))
	for _, a := range list {
		fmt.Fprintf(b, "- %s is %s\n", escape(a.Object.String()), escape(string(a.State)))
	}
}

// escape makes a text plain in Markdown, HTML included.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "|", `\|`, "#", `\#`).Replace(text)
}

func code(text string) string { return "`" + strings.ReplaceAll(text, "`", "'") + "`" }
