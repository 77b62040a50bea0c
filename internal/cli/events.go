package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"hearth/internal/domain"
	"hearth/internal/kube/gitops"
	"hearth/internal/observe"
)

// eventsFlags say which events to show, and where else to tell them.
type eventsFlags struct {
	clusterFlags
	follow  bool
	output  string
	since   time.Duration
	types   []string
	journal string
	webhook string
	keyFile string
	metrics string
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
with what happens, until Ctrl-C: every transition from a state to the next, too,
every domain event (DriftCorrected, PodRestarted, ImagePulled and
DependencyBlocked beside those above), and what becomes overdue; --journal
keeps it on disk, --webhook delivers it, --metrics serves Prometheus. Without
--follow, --journal shows what was kept, and needs no cluster. Exit code 1:
there is no such cluster or object; 2: misuse.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), args)
		},
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.BoolVarP(&f.follow, "follow", "f", false, "go on with what happens")
	flags.StringVarP(&f.output, "output", "o", "text", "the form of the output: text, json or cloudevents, a line each")
	flags.DurationVar(&f.since, "since", 0, "only what happened so long ago at most")
	flags.StringSliceVar(&f.types, "types", nil, "only these: kubernetes, domain, state, overdue (default all)")
	flags.StringVar(&f.journal, "journal", "", "the folder of the journal: with --follow it is written, otherwise read")
	flags.StringVar(&f.webhook, "webhook", "", "the URL to which each event is posted as a CloudEvent, with --follow")
	flags.StringVar(&f.keyFile, "webhook-key", "", "the file of the key that signs them (HMAC-SHA256, header X-Signature)")
	flags.StringVar(&f.metrics, "metrics", "", "the loopback host:port that serves Prometheus metrics, with --follow (port 0 takes a free one)")
	return cmd
}

// check finds misuse before anything is contacted.
func (f *eventsFlags) check() error {
	errs := []error{f.clusterFlags.check(), checkForm(f.output, "text", "json", "cloudevents")}
	for _, name := range f.types {
		if _, ok := eventTypes[name]; !ok {
			errs = append(errs, fmt.Errorf("--types %q is none of kubernetes, domain, state, overdue", name))
		}
	}
	if f.since < 0 {
		errs = append(errs, fmt.Errorf("--since %s lies in the future", f.since))
	}
	if !f.follow && (f.webhook != "" || f.metrics != "") {
		errs = append(errs, errors.New("--webhook and --metrics tell what happens: they need --follow"))
	}
	if f.keyFile != "" && f.webhook == "" {
		errs = append(errs, errors.New("--webhook-key signs what --webhook delivers: name a URL, too"))
	}
	return errors.Join(errs...)
}

func (f *eventsFlags) run(ctx context.Context, w, problems io.Writer, args []string) error {
	var targets []gitops.Target
	if len(args) > 0 {
		var err error
		if targets, err = gitops.ParseTargets(args); err != nil {
			return err
		}
	}
	if err := f.check(); err != nil {
		return err
	}
	show := &eventPrinter{w: w, form: f.output, painter: painter(colours(w)), types: f.types, namespace: f.namespace, source: sourceOfJournal}
	if f.since > 0 {
		show.since = time.Now().Add(-f.since)
	}
	err := f.show(ctx, show, problems, targets)
	if err == nil && show.err != nil {
		err = failure{exitFailed, fmt.Errorf("write the events: %w", show.err)}
	}
	if err == nil && show.printed == 0 && f.output == "text" {
		fmt.Fprintln(w, "nothing is on record")
	}
	return err
}

// show prints what the flags ask for.
func (f *eventsFlags) show(ctx context.Context, show *eventPrinter, problems io.Writer, targets []gitops.Target) error {
	if f.journal != "" && !f.follow {
		show.targets = targets
		return f.replay(show, problems)
	}
	if f.follow {
		takeLittle()
	}
	c, config, err := f.open()
	if err != nil {
		return err
	}
	show.source = sourceOf(config)
	found, err := f.find(ctx, c, config, targets)
	if err != nil {
		return err
	}
	for _, o := range found {
		show.of = append(show.of, domain.Ref{Kind: o.Kind.Kind, Namespace: o.GetNamespace(), Name: o.GetName()})
	}
	look, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	list, closed, err := observe.Happenings(look, config, c, f.namespace)
	if err != nil {
		return failure{exitFailed, unreachable(config, err)}
	}
	for _, h := range list {
		show.print(h)
	}
	if !f.follow {
		for _, kind := range closed {
			fmt.Fprintf(problems, "hearth: objects of kind %s may not be read, and nothing is told of them\n", kind)
		}
		return nil
	}
	klog.SetLogger(logr.Discard()) // a watch that is opened again is no news
	return f.followOn(ctx, c, config, show, problems, list)
}

// sourceOf names a cluster as the source of CloudEvents.
func sourceOf(config *rest.Config) string { return strings.TrimSuffix(config.Host, "/") }
