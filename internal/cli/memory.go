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

// checkGarbage is by how much, in percent, the heap of a check may grow before
// garbage is collected: it lives for a second, and makes little that stays.
const checkGarbage = 200

// collectSeldom lets a check use more memory, and less time, unless the user has
// said otherwise.
func collectSeldom() {
	limitMemory()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(checkGarbage)
	}
}
