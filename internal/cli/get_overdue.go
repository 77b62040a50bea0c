package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"hearth/internal/observe"
)

// printLate prints what the temporal rules speak of: of some kinds, a namespace,
// and names where they are given.
func (f *getFlags) printLate(w io.Writer, late []observe.Late, kinds []kindOfView, names []string) error {
	list := []observe.Late{}
	for _, l := range late {
		if kindShown(kinds, l.Kind) && (f.namespace == "" || l.Namespace == f.namespace) && (len(names) == 0 || slices.Contains(names, l.Name)) {
			list = append(list, l)
		}
	}
	var err error
	if f.output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		err = enc.Encode(map[string]any{"overdue": list})
	} else {
		err = lateText(w, list, time.Now())
	}
	if err != nil {
		return failure{exitFailed, fmt.Errorf("write what is overdue: %w", err)}
	}
	return nil
}

func lateText(w io.Writer, list []observe.Late, now time.Time) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "nothing is overdue")
		return err
	}
	width, _ := terminalSize(w)
	t := &table{header: []string{"OBJECT", "RULE", "STATE", "LATE BY", "NEXT TRY", "MESSAGE"}, width: width, painter: painter(colours(w))}
	for _, l := range list {
		t.add(cell{text: printable(l.String())}, cell{l.Rule, yellow}, cell{string(l.State), stateColour(l.Kind, l.State, false)},
			cell{text: age(now, l.Due)}, cell{text: nextTry(now, l.Next)}, cell{text: printable(l.Message)})
	}
	return t.write(w)
}

// nextTry says in how long something is tried again.
func nextTry(now, next time.Time) string {
	switch {
	case next.IsZero():
		return ""
	case !next.After(now):
		return "now"
	}
	return "in " + age(next, now)
}
