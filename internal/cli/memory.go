package cli

import (
	"os"
	"runtime/debug"
)

// memoryLimit is where the garbage collector begins to work harder, so that a
// rehearsal of a hundred applications stays well below 1.2 GiB.
const memoryLimit = 900 << 20

// limitMemory sets the limit, unless the user has set one.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
