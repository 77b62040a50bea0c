package cli

import (
	"os"
	"runtime/debug"
)

// memoryLimit is where the garbage collector begins to work harder, so that a
// rehearsal of a hundred applications stays well below 1.2 GiB.
const memoryLimit = 900 << 20

// limitMemory sets the limit, unless the user has set one.
func limitMemory() { limitMemoryTo(memoryLimit) }

func limitMemoryTo(limit int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

// checkGarbage is by how much, in percent, the heap of a check may grow before
// garbage is collected: it lives for a second, and makes little that stays.
const checkGarbage = 150

// checkLimit is where the collector of a check begins to work harder, so that a
// homelab of 2,000 applications takes less than 1 GB.
const checkLimit = 800 << 20

// collectSeldom lets a check use more memory, and less time, unless the user has
// said otherwise.
func collectSeldom() { collectAt(checkGarbage) }

// collectHardly is for what lives for a third of a second.
func collectHardly() { collectAt(3 * checkGarbage) }

func collectAt(percent int) {
	limitMemoryTo(checkLimit)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
