package rehearsal

import (
	"container/heap"
	"context"
	"time"
)

// agenda holds what is due when, in model time.
type agenda struct{ list appointments }

// appointment is something that is due.
type appointment struct {
	at   time.Duration
	what string // names it where something goes wrong
	do   func(context.Context) error
	// every is when it is due again; 0 is never.
	every time.Duration
	// next, if set, says when instead, given the time at which it was due;
	// false is never.
	next func(at time.Duration) (time.Duration, bool)
	// alone keeps it apart from what is due shortly before or after.
	alone bool
	order int
}

// add enters an appointment.
func (a *agenda) add(p *appointment) {
	p.order = a.list.count
	a.list.count++
	heap.Push(&a.list, p)
}

// due takes out all that is due within a moment of whatever is due first, in
// order, and enters again what repeats. What is to be alone is. It is empty
// where nothing is due before the end.
func (a *agenda) due(end, moment time.Duration) []*appointment {
	if len(a.list.heap) == 0 || a.list.heap[0].at > end {
		return nil
	}
	until := min(end, a.list.heap[0].at+moment)
	var list []*appointment
	for len(a.list.heap) > 0 && a.list.heap[0].at <= until {
		if len(list) > 0 && (list[0].alone || a.list.heap[0].alone) {
			break
		}
		p := heap.Pop(&a.list).(*appointment)
		list = append(list, p)
		again := *p
		switch {
		case p.next != nil:
			at, ok := p.next(p.at)
			if !ok || at <= p.at {
				continue
			}
			again.at = at
		case p.every > 0:
			again.at = p.at + max(p.every, moment)
		default:
			continue
		}
		heap.Push(&a.list, &again)
	}
	return list
}

// appointments is a heap by time, and by the order of entry.
type appointments struct {
	heap  []*appointment
	count int
}

func (a *appointments) Len() int { return len(a.heap) }
func (a *appointments) Less(i, j int) bool {
	x, y := a.heap[i], a.heap[j]
	return x.at < y.at || x.at == y.at && x.order < y.order
}
func (a *appointments) Swap(i, j int) { a.heap[i], a.heap[j] = a.heap[j], a.heap[i] }
func (a *appointments) Push(x any)    { a.heap = append(a.heap, x.(*appointment)) }
func (a *appointments) Pop() any {
	last := len(a.heap) - 1
	p := a.heap[last]
	a.heap = a.heap[:last]
	return p
}
