package draw

import (
	"math"
)

// block is something that was laid out by itself and is placed as a whole.
type block struct {
	x, y, w, h float64
	// move is told where the block's upper left corner comes to stand.
	move func(x, y float64)
}

// place moves the content of a block to where it was packed, seen from a point.
func (b block) place(x, y float64) { b.move(x+b.x, y+b.y) }

// pack places blocks in rows, one after the other, and returns how much room
// they take up.
func pack(blocks []block, gap float64) (width, height float64) {
	area, widest := 0.0, 0.0
	for _, b := range blocks {
		area += (b.w + gap) * (b.h + gap)
		widest = max(widest, b.w)
	}
	bound := max(widest, math.Sqrt(area*aspect))
	x, y, row := 0.0, 0.0, 0.0
	for i := range blocks {
		b := &blocks[i]
		if x > 0 && x+b.w > bound {
			x, y, row = 0, y+row+gap, 0
		}
		b.x, b.y = x, y
		x, row = x+b.w+gap, max(row, b.h)
		width, height = max(width, b.x+b.w), max(height, b.y+b.h)
	}
	return width, height
}
