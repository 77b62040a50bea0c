//go:build unix

package source

import (
	"errors"
	"os"
	"syscall"
)

// lockFile waits until no other process holds the lock.
func lockFile(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// tryLockFile reports whether the lock was free.
func tryLockFile(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// collects says that processes can tell each other what they use.
const collects = true
