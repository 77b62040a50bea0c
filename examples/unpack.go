package examples

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Unpack writes the homelab to a temporary folder, and returns it and how to
// remove it.
func Unpack() (dir string, remove func() error, err error) {
	parent, err := os.MkdirTemp("", "hearth-example-")
	if err != nil {
		return "", nil, fmt.Errorf("unpack the example homelab: %w", err)
	}
	remove = func() error { return os.RemoveAll(parent) }
	if err := os.CopyFS(parent, Homelab); err != nil {
		return "", nil, fmt.Errorf("unpack the example homelab: %w", errors.Join(err, remove()))
	}
	return filepath.Join(parent, "homelab"), remove, nil
}
