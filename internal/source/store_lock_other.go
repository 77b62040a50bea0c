//go:build !unix

package source

import "os"

func lockFile(*os.File) error { return nil }

func tryLockFile(*os.File) bool { return false }

// collects is false where processes cannot tell each other what they use:
// nothing is ever removed then.
const collects = false
