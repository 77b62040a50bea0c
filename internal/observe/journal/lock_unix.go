//go:build unix

package journal

import (
	"os"
	"syscall"
)

// tryLock reports whether no other process writes the journal. The lock ends
// with the process, however that ends.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
