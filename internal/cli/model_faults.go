package cli

import (
	"fmt"
	"io"

	"hearth/internal/domain"
)

// faultsTopic is the part of the model that says what can go wrong.
const faultsTopic = "faults"

// printFaults prints what can be made to go wrong in a rehearsal.
func printFaults(w io.Writer, output string) error {
	kinds := domain.FaultKinds()
	switch output {
	case "json":
		return printJSON(w, kinds)
	case "table":
		for _, info := range kinds {
			if _, err := fmt.Fprintf(w, "%-50s %s\n", faultForm(info), info.Title); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("the faults can be had as table or json, not as %q", output)
}

// faultForm writes how a fault is named; what may be left out stands in brackets.
func faultForm(info domain.FaultInfo) string {
	switch {
	case info.Which == "":
		return string(info.Kind)
	case info.Needed:
		return fmt.Sprintf("%s=%s", info.Kind, info.Which)
	default:
		return fmt.Sprintf("%s[=%s]", info.Kind, info.Which)
	}
}
