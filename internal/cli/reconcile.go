package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"hearth/internal/domain"
	"hearth/internal/kube/gitops"
	"hearth/internal/observe"
)

const (
	// reconcileAtOnce bounds how many reconciles are waited for at once.
	reconcileAtOnce = 16
	// sameFailure is how long a secret that failed before may stay silent: one
	// that fails as it did before does not show that it was tried again.
	sameFailure = 20 * time.Second
)

// reconcileFlags say what to reconcile, and how.
type reconcileFlags struct {
	clusterFlags
	withSource, force, reset bool
	timeout                  time.Duration
}

func newReconcileCommand() *cobra.Command {
	var f reconcileFlags
	cmd := &cobra.Command{
		Use:   "reconcile KIND/NAME... | all",
		Short: "Have objects reconciled at once, and wait for how that ends",
		Long: `Ask the reconcilers of objects to act at once, and wait until they are Ready or
have failed: Kustomizations (ks), HelmReleases (hr), ExternalSecrets (es),
sources, receivers and whatever else follows Git, here or on any cluster. Where
a name is unique no -n is needed. "all" is everything that is not suspended,
sources first. Exit code 0: all are Ready; 1: one failed, is suspended or does
not exist; 2: misuse.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), cmd.OutOrStdout(), args) },
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.BoolVar(&f.withSource, "with-source", false, "have what it takes its content from fetched first")
	flags.BoolVar(&f.force, "force", false, "have a HelmRelease install or upgrade though nothing has changed")
	flags.BoolVar(&f.reset, "reset", false, "have a HelmRelease forget its failures")
	flags.DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait in all")
	return cmd
}

func (f *reconcileFlags) run(ctx context.Context, w io.Writer, args []string) error {
	all := len(args) == 1 && args[0] == "all"
	var targets []gitops.Target
	var err error
	if !all {
		if targets, err = gitops.ParseTargets(args); err != nil {
			return err
		}
	}
	if err := errors.Join(f.check(), checkTimeout(f.timeout)); err != nil {
		return err
	}
	c, config, err := f.open()
	if err != nil {
		return err
	}
	var objects []gitops.Object
	if all {
		objects, err = f.everything(ctx, c, config)
	} else {
		objects, err = f.find(ctx, c, config, targets)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	r := reconciliation{cluster: c, config: config, flags: f, say: newProgress(w)}
	return r.run(ctx, objects)
}

// everything returns all that can be reconciled and is not suspended.
func (f *reconcileFlags) everything(ctx context.Context, c *gitops.Cluster, config *rest.Config) ([]gitops.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	kinds, err := c.Served()
	if err != nil {
		return nil, failure{exitFailed, unreachable(config, err)}
	}
	var objects []gitops.Object
	for _, kind := range kinds {
		list, err := c.All(ctx, kind, f.namespace)
		if err != nil {
			return nil, failure{exitFailed, unreachable(config, err)}
		}
		for _, o := range list {
			if !o.Static() && !o.Suspended() {
				objects = append(objects, o)
			}
		}
	}
	return objects, nil
}

// reconciliation is one run of the verb.
type reconciliation struct {
	cluster *gitops.Cluster
	config  *rest.Config
	flags   *reconcileFlags
	say     *progress
}

// run reconciles sources, and then the rest, each of them all at once.
func (r *reconciliation) run(ctx context.Context, objects []gitops.Object) error {
	var sources, rest []gitops.Object
	for _, o := range objects {
		if o.Kind.Stores {
			sources = append(sources, o)
		} else {
			rest = append(rest, o)
		}
	}
	bad := r.each(ctx, sources)
	bad = r.each(ctx, rest) || bad
	if bad {
		return failed
	}
	return nil
}

func (r *reconciliation) each(ctx context.Context, objects []gitops.Object) (bad bool) {
	results := make([]bool, len(objects))
	var group errgroup.Group
	group.SetLimit(reconcileAtOnce)
	for i, o := range objects {
		group.Go(func() error {
			results[i] = r.withSources(ctx, o)
			return nil
		})
	}
	_ = group.Wait() // no member returns an error
	for _, ok := range results {
		bad = bad || !ok
	}
	return bad
}

// withSources reconciles an object, and before it what it takes its content
// from where that is wanted.
func (r *reconciliation) withSources(ctx context.Context, o gitops.Object) (ok bool) {
	if r.flags.withSource {
		sources := o.Sources()
		if len(sources) == 0 {
			r.say.bad(o.ID(), "it has no source to reconcile")
			return false
		}
		for _, ref := range sources {
			source, err := r.cluster.Find(ctx, ref.Target(), "")
			if err != nil {
				r.say.bad(o.ID(), fmt.Sprintf("its source cannot be reconciled: %s", err))
				return false
			}
			if source.Static() {
				continue
			}
			if !r.one(ctx, source, gitops.Request{}) {
				return false
			}
		}
	}
	return r.one(ctx, o, gitops.Request{Force: r.flags.force, Reset: r.flags.reset})
}

// one reconciles an object and waits for the end.
func (r *reconciliation) one(ctx context.Context, o gitops.Object, request gitops.Request) (ok bool) {
	switch {
	case o.Suspended():
		r.say.bad(o.ID(), "it is suspended: resume it first")
		return false
	case o.Static():
		r.say.note(o.ID(), "nothing reconciles it: it is only read by others")
		return true
	case (request.Force || request.Reset) && o.Kind.Kind != "HelmRelease":
		r.say.bad(o.ID(), "--force and --reset are for HelmReleases")
		return false
	}
	if o.Kind.Ask == gitops.AskExternalSecrets && observe.Failed(o.Kind.Kind, observe.Tell(o.Unstructured).State) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, sameFailure)
		defer cancel()
	}
	o, asked, err := r.cluster.Reconcile(ctx, o, request)
	if err != nil {
		r.say.fail(err)
		return false
	}
	r.say.note(o.ID(), "asked to reconcile")
	return r.say.settle(ctx, r.cluster, o, asked)
}

// progress tells how objects fare, in lines. Its methods may be called
// concurrently.
type progress struct {
	mu sync.Mutex
	w  io.Writer
	painter
}

func newProgress(w io.Writer) *progress { return &progress{w: w, painter: painter(colours(w))} }

func (p *progress) line(colour, mark, id, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Output that nobody takes any more is no reason to stop.
	_, _ = fmt.Fprintf(p.w, "%s %s  %s\n", p.paint(colour, mark), printable(id), printable(text))
}

// fail tells an error, which names its object itself.
func (p *progress) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintf(p.w, "%s %s\n", p.paint(red, "✗"), printable(err.Error()))
}

func (p *progress) note(id, text string) { p.line(faint, "·", id, text) }
func (p *progress) good(id, text string) { p.line(green, "✓", id, text) }
func (p *progress) bad(id, text string)  { p.line(red, "✗", id, text) }

// settle waits until what was asked for an object has ended, and tells how.
func (p *progress) settle(ctx context.Context, c *gitops.Cluster, o gitops.Object, asked gitops.Asked) (ok bool) {
	var before domain.State
	outcome, err := observe.Settle(ctx, c, o, asked, func(s observe.Standing) {
		if s.State != before {
			before = s.State
			p.note(o.ID(), said(s))
		}
	})
	switch {
	case err != nil:
		p.fail(err)
	case outcome.Ready && !outcome.TimedOut:
		p.good(o.ID(), said(outcome.Standing))
		return true
	case outcome.TimedOut && outcome.State == "":
		p.bad(o.ID(), "the cluster does not say how it is")
	case outcome.TimedOut && observe.Failed(o.Kind.Kind, outcome.State):
		p.bad(o.ID(), said(outcome.Standing))
	case outcome.TimedOut:
		p.bad(o.ID(), "not done in time: it is "+said(outcome.Standing))
	default:
		p.bad(o.ID(), said(outcome.Standing))
	}
	return false
}

// said gives a state and its reason.
func said(s observe.Standing) string {
	if s.Message == "" {
		return string(s.State)
	}
	return fmt.Sprintf("%s: %s", s.State, s.Message)
}
