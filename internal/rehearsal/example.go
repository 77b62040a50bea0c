package rehearsal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"hearth/examples"
)

// exampleCluster is the cluster of the example homelab that is rehearsed where
// none is named.
const exampleCluster = "main"

// unpackExample writes the example homelab that the binary carries to a
// temporary folder, and returns it and how to remove it.
func unpackExample() (dir string, remove func() error, err error) {
	parent, err := os.MkdirTemp("", "hearth-example-")
	if err != nil {
		return "", nil, fmt.Errorf("unpack the example homelab: %w", err)
	}
	remove = func() error { return os.RemoveAll(parent) }
	if err := os.CopyFS(parent, examples.Homelab); err != nil {
		return "", nil, fmt.Errorf("unpack the example homelab: %w", errors.Join(err, remove()))
	}
	return filepath.Join(parent, "homelab"), remove, nil
}
