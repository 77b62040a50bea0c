package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// liveLog tells a homelab's progress in plain lines: one for each state that a
// Kustomization or HelmRelease was seen in.
type liveLog struct {
	start time.Time

	mu      sync.Mutex
	w       io.Writer
	stopped bool
	before  map[domain.Ref]domain.State
}

func newLiveLog(w io.Writer, start time.Time) *liveLog {
	return &liveLog{w: w, start: start, before: map[domain.Ref]domain.State{}}
}

// transition writes a line, unless the state was only passed through.
func (l *liveLog) transition(t observe.Transition) {
	if t.Kind != "Kustomization" && t.Kind != "HelmRelease" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.Passed || l.stopped {
		return
	}
	before, known := l.before[t.Ref]
	l.before[t.Ref] = t.To
	if t.To == domain.Absent {
		delete(l.before, t.Ref)
	}
	if !known {
		before = domain.Absent
	}
	_, _ = io.WriteString(l.w, liveLine(t, before, t.At.Sub(l.start)))
}

// stop ends the log. What is told later is dropped.
func (l *liveLog) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
}

// liveLine is one line of the log.
func liveLine(t observe.Transition, before domain.State, elapsed time.Duration) string {
	way := string(t.To)
	if before != domain.Absent {
		way = string(before) + " → " + way
	}
	if t.To == domain.Absent {
		way = "gone"
	}
	var notes []string
	switch t.To {
	case domain.KustomizationFailed, domain.KustomizationIdle, domain.ReleasePending:
		if t.Message != "" && t.From != domain.Absent {
			notes = append(notes, t.Message)
		}
	}
	if t.OffModel {
		notes = append(notes, "(the model has no such transition)")
	}
	line := fmt.Sprintf("%7.1fs  %-13s  %s/%s  %s  %s", max(0, elapsed).Seconds(), t.Kind, t.Namespace, t.Name, way, strings.Join(notes, " "))
	return strings.TrimRight(printable(line), " ") + "\n"
}
