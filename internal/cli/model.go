package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/domain"
)

// newModelCommand prints the domain model: all of it, or one machine.
func newModelCommand() *cobra.Command {
	var output string
	var names []string
	for _, m := range domain.AllMachines() {
		names = append(names, m.Name)
	}
	names = append(names, faultsTopic)
	cmd := &cobra.Command{
		Use:       "model [" + strings.Join(names, "|") + "]",
		Short:     "Print the state machines, timings and decision tables that Hearth works by",
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			machines := domain.AllMachines()
			if len(args) == 1 && args[0] == faultsTopic {
				return printFaults(cmd.OutOrStdout(), output)
			}
			if len(args) == 1 {
				m, ok := domain.MachineFor(args[0])
				if !ok {
					return fmt.Errorf("there is no machine %q: choose one of %s", args[0], strings.Join(names, ", "))
				}
				machines = []*domain.Machine{m}
			}
			return printModel(cmd.OutOrStdout(), output, machines, len(args) == 0)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table, mermaid, dot or json")
	return cmd
}

// printModel prints machines, and with the table and JSON forms the tables of
// the whole model, too.
func printModel(w io.Writer, output string, machines []*domain.Machine, whole bool) error {
	var text strings.Builder
	switch output {
	case "table":
		modelTables(&text, machines, whole)
	case "mermaid":
		modelMermaid(&text, machines)
	case "dot":
		modelDOT(&text, machines)
	case "json":
		encoder := json.NewEncoder(&text)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(modelJSON(machines, whole)); err != nil {
			return err
		}
	default:
		return fmt.Errorf("output %q is none of table, mermaid, dot, json", output)
	}
	_, err := io.WriteString(w, text.String())
	return err
}
