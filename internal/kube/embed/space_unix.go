//go:build unix

package embed

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// leastSpace is what etcd needs to set itself up and still take some writes.
const leastSpace = 128 << 20

// requireSpace refuses a file system that is all but full, before anything is
// half-written to it.
func requireSpace(path string) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return fmt.Errorf("asking how much space %s has: %w", path, err)
	}
	free := uint64(fs.Bavail) * uint64(fs.Bsize)
	if free < leastSpace {
		return fmt.Errorf("the disk that holds %s has %d MB left, and Kubernetes needs %d MB: free some, or choose another folder", path, free>>20, leastSpace>>20)
	}
	return nil
}
