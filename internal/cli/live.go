package cli

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"hearth/internal/kube"
	"hearth/internal/observe"
)

// liveSource is a homelab that can be watched while it comes up.
type liveSource interface {
	Snapshot() []observe.Object
	Watcher() *observe.Watcher
	Kubernetes() kube.Cluster
}

// showLive shows a homelab while it comes up: a tree that is redrawn in place
// on a terminal, a line per transition elsewhere. stop ends it, takes the tree
// off the terminal, and may be called more than once.
func showLive(w io.Writer, source liveSource) (stop func()) {
	if !isTerminal(w) {
		return showLog(w, source)
	}
	start := source.Kubernetes().ReadyAt()
	changes, forget := source.Watcher().Changes()
	l := newLive(w, painter(colours(w)), func() (int, int) { return terminalSize(w) })
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer forget()
		l.run(changes, done, func() frame {
			return frame{objects: source.Snapshot(), start: start, elapsed: time.Since(start)}
		})
	}()
	return sync.OnceFunc(func() {
		close(done)
		<-ended
		l.erase()
	})
}

// showLog writes a line for each transition of a Kustomization or HelmRelease,
// until stop is called.
func showLog(w io.Writer, source liveSource) (stop func()) {
	log := newLiveLog(w, source.Kubernetes().ReadyAt())
	source.Watcher().Subscribe(log.transition)
	return log.stop
}

const (
	// liveRate bounds how often the tree is redrawn.
	liveRate = 100 * time.Millisecond
	// liveTick keeps the clock of the tree going while nothing changes.
	liveTick = time.Second
)

// live redraws frames in place on a terminal.
type live struct {
	w io.Writer
	painter
	size  func() (width, height int)
	drawn int // lines on the terminal
}

func newLive(w io.Writer, p painter, size func() (width, height int)) *live {
	return &live{w: w, painter: p, size: size}
}

// run draws a frame after each change, at most one per liveRate, until done.
func (l *live) run(changes, done <-chan struct{}, next func() frame) {
	tick := time.NewTicker(liveTick)
	defer tick.Stop()
	for {
		l.draw(next())
		select {
		case <-done:
			return
		case <-time.After(liveRate):
		}
		select {
		case <-done:
			return
		case <-changes:
		case <-tick.C:
		}
	}
}

// draw replaces what was drawn before, in a single write.
func (l *live) draw(f frame) {
	f.painter = l.painter
	f.width, f.height = l.size()
	lines := f.lines()
	var b bytes.Buffer
	l.up(&b)
	for _, line := range lines {
		b.WriteString(line)
		b.WriteString("\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	l.drawn = len(lines)
	l.write(b.Bytes())
}

// erase takes what was drawn off the terminal.
func (l *live) erase() {
	var b bytes.Buffer
	l.up(&b)
	b.WriteString("\x1b[J")
	l.drawn = 0
	l.write(b.Bytes())
}

// up moves the cursor to the first line that was drawn.
func (l *live) up(b *bytes.Buffer) {
	if l.drawn > 0 {
		fmt.Fprintf(b, "\x1b[%dA", l.drawn)
	}
	b.WriteByte('\r')
}

// write writes to the terminal. One that has gone away is not worth ending a
// rehearsal for: the report's own write will say so.
func (l *live) write(p []byte) { _, _ = l.w.Write(p) }
