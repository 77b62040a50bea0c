package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"hearth/internal/domain"
	"hearth/internal/kube/gitops"
	"hearth/internal/observe"
)

// eventsFlags say which events to show.
type eventsFlags struct {
	clusterFlags
	follow bool
	output string
}

func newEventsCommand() *cobra.Command {
	var f eventsFlags
	cmd := &cobra.Command{
		Use:   "events [KIND/NAME...]",
		Short: "Show what happened, oldest first, and follow it",
		Long: `Show what happened in a cluster, or to some objects, oldest first: the events
that Kubernetes and the reconcilers recorded, those that say the same as one,
and the domain's own events (FluxReconciled, HelmReleaseReady, SecretSynced,
HTTPRouteCreated), of which the last of each object is known. --follow goes on
with what happens, until Ctrl-C. With -o json each is a line. Exit code 1: there
is no such cluster or object; 2: misuse.`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), cmd.OutOrStdout(), args) },
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.BoolVarP(&f.follow, "follow", "f", false, "go on with what happens")
	flags.StringVarP(&f.output, "output", "o", "text", "the form of the output: text or json, a line each")
	return cmd
}

func (f *eventsFlags) run(ctx context.Context, w io.Writer, args []string) error {
	var targets []gitops.Target
	if len(args) > 0 {
		var err error
		if targets, err = gitops.ParseTargets(args); err != nil {
			return err
		}
	}
	if err := errors.Join(f.check(), checkForm(f.output, "text", "json")); err != nil {
		return err
	}
	c, config, err := f.open()
	if err != nil {
		return err
	}
	found, err := f.find(ctx, c, config, targets)
	if err != nil {
		return err
	}
	show := &eventPrinter{w: w, form: f.output, painter: painter(colours(w))}
	for _, o := range found {
		show.of = append(show.of, domain.Ref{Kind: o.Kind.Kind, Namespace: o.GetNamespace(), Name: o.GetName()})
	}
	look, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	list, err := observe.Happenings(look, config, c, f.namespace)
	if err != nil {
		return failure{exitFailed, unreachable(config, err)}
	}
	for _, h := range list {
		show.print(h)
	}
	if f.follow {
		klog.SetLogger(logr.Discard()) // a watch that is opened again is no news
		if err := observe.FollowHappenings(ctx, config, c, f.namespace, show.print); err != nil {
			return failure{exitFailed, unreachable(config, err)}
		}
	}
	if show.err != nil {
		return failure{exitFailed, fmt.Errorf("write the events: %w", show.err)}
	}
	if show.printed == 0 && f.output == "text" {
		fmt.Fprintln(w, "nothing is on record")
	}
	return nil
}

// eventPrinter writes happenings, those of some objects only where there are
// any. print may be called concurrently.
type eventPrinter struct {
	mu      sync.Mutex
	w       io.Writer
	form    string
	of      []domain.Ref
	printed int
	err     error
	painter
}

func (p *eventPrinter) print(h observe.Happening) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.wanted(h.Object) || p.err != nil {
		return
	}
	p.printed++
	if p.form == "json" {
		p.err = json.NewEncoder(p.w).Encode(h)
		return
	}
	_, p.err = io.WriteString(p.w, p.line(h))
}

// line is a happening in text: a log, not a table, since it may go on.
func (p *eventPrinter) line(h observe.Happening) string {
	colour := ""
	switch h.Type {
	case "Warning":
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

func (p *eventPrinter) wanted(o domain.Ref) bool {
	if len(p.of) == 0 {
		return true
	}
	for _, ref := range p.of {
		if ref == o {
			return true
		}
	}
	return false
}
