package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"hearth/internal/domain"
	"hearth/internal/kube/gitops"
	"hearth/internal/observe"
)

// eventTypes are the names of types of happenings; that of Kubernetes' own
// stands for all others.
var eventTypes = map[string]string{
	"domain": observe.TypeDomain, "state": observe.TypeState, "overdue": observe.TypeOverdue, "kubernetes": "",
}

// eventPrinter writes happenings, those that are wanted only. print may be
// called concurrently.
type eventPrinter struct {
	mu        sync.Mutex
	w         io.Writer
	form      string
	source    string
	types     []string
	namespace string
	since     time.Time
	of        []domain.Ref
	targets   []gitops.Target // where no cluster says what they mean
	printed   int
	err       error
	painter
}

func (p *eventPrinter) print(h observe.Happening) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.wanted(h) || p.err != nil {
		return
	}
	p.printed++
	switch p.form {
	case "json":
		p.err = json.NewEncoder(p.w).Encode(h)
	case "cloudevents":
		p.err = json.NewEncoder(p.w).Encode(observe.ToCloudEvent(h, p.source))
	default:
		_, p.err = io.WriteString(p.w, p.line(h))
	}
}

// line is a happening in text: a log, not a table, since it may go on.
func (p *eventPrinter) line(h observe.Happening) string {
	colour := ""
	switch h.Type {
	case "Warning", observe.TypeOverdue:
		colour = yellow
	case observe.TypeDomain:
		colour = green
	}
	times := ""
	if h.Count > 1 {
		times = fmt.Sprintf(" (%d times)", h.Count)
	}
	return fmt.Sprintf("%s  %s  %s  %s: %s%s\n", h.Time.Local().Format(time.DateTime), p.paint(colour, pad(printable(h.Type), 7)),
		printable(h.Object.String()), printable(h.Reason), printable(h.Message), times)
}

// wanted reports whether a happening is one of those asked for.
func (p *eventPrinter) wanted(h observe.Happening) bool {
	return (p.since.IsZero() || !h.Time.Before(p.since)) &&
		(p.namespace == "" || h.Object.Namespace == p.namespace) &&
		wantedType(p.types, h.Type) &&
		(len(p.of) == 0 || slices.Contains(p.of, h.Object)) &&
		(len(p.targets) == 0 || slices.ContainsFunc(p.targets, func(t gitops.Target) bool { return means(t, h.Object) }))
}

func wantedType(types []string, of string) bool {
	if len(types) == 0 {
		return true
	}
	for name, t := range eventTypes {
		if t == of {
			return slices.Contains(types, name)
		}
	}
	return slices.Contains(types, "kubernetes")
}

// means reports whether a target names an object, by any name of its kind.
func means(t gitops.Target, o domain.Ref) bool {
	if t.Name != o.Name || t.Namespace != "" && t.Namespace != o.Namespace {
		return false
	}
	typed, _, _ := strings.Cut(strings.ToLower(t.Kind), ".")
	kind := strings.ToLower(o.Kind)
	if typed == kind || typed == kind+"s" {
		return true
	}
	for _, k := range gitops.Kinds {
		if k.Kind == o.Kind && slices.Contains(k.Names, typed) {
			return true
		}
	}
	i := slices.IndexFunc(allViewKinds, func(k kindOfView) bool { return slices.Contains(k.names, typed) })
	return i >= 0 && allViewKinds[i].kind == observe.DomainKind(o.Kind)
}
