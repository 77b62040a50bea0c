package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"hearth/internal/rule"
	"hearth/internal/rule/report"
	"hearth/internal/rule/rules"
)

// newRulesCommand lists the rules.
func newRulesCommand(p Process) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "List the rules of check, and what each enforces",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch output {
			case "text":
				return report.List(p.Stdout, rules.All(), report.Options{Colour: colours(p.Stdout)})
			case "json":
				return report.ListJSON(p.Stdout, rules.All())
			case "markdown":
				return report.Markdown(p.Stdout, rules.All())
			}
			return fmt.Errorf("-o %q is none of text, json, markdown", output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text, json or markdown")
	return cmd
}

// explain says what a rule is about.
func explain(w io.Writer, name string) error {
	r, ok := rule.Find(rules.All(), name)
	if !ok {
		return fmt.Errorf("there is no rule %q: hearth rules lists them", name)
	}
	return report.Explain(w, r, report.Options{Colour: colours(w)})
}
