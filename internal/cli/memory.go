package cli

import (
	"os"
	"runtime/debug"
	"time"
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

// observeGarbage is by how much, in percent, the heap of what observes may
// grow: it lives for long and makes little, so that collecting costs nothing.
const observeGarbage = 40

// takeLittle lets what observes take little memory, unless the user has said
// otherwise.
func takeLittle() {
	forgetProgram()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(observeGarbage)
	}
}

// settled is when an observer that knows all that there is has told it, too.
const settled = 10 * time.Second

// giveBackTwice gives back what reading a cluster took, and then what telling of
// it took.
func giveBackTwice() {
	giveBack()
	time.AfterFunc(settled, giveBack)
}

// giveBack returns to the operating system what only the start needed: garbage,
// and of the program the pages that are not used any more.
func giveBack() {
	debug.FreeOSMemory()
	forgetProgram()
}
