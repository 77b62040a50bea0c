package cli

import (
	"encoding/json"
	"io"
)

// printJSON writes a value as JSON, indented, for people as for programs.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
