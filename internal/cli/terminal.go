package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// terminalSize returns the columns and rows of the terminal that w is, or
// zeros where it is none or does not say.
func terminalSize(w io.Writer) (columns, rows int) {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(w) {
		return 0, 0
	}
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, rows
}
