package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"hearth/internal/kube/gitops"
)

// suspendFlags say what to suspend or resume.
type suspendFlags struct {
	clusterFlags
	suspend bool
	all     bool
	timeout time.Duration
}

func newSuspendCommand() *cobra.Command {
	f := suspendFlags{suspend: true}
	cmd := f.command("suspend", "Have reconcilers leave objects alone",
		`Have the reconcilers of objects leave them alone until they are resumed: what
they applied stays as it is. --all is everything that can be suspended, or all
of a kind. Where Git itself says whether an object is suspended, that is told:
the next reconcile of what applies it sets it back. Exit code 0: done; 1: there
is no such object or it cannot be suspended; 2: misuse.`)
	return cmd
}

func newResumeCommand() *cobra.Command {
	f := suspendFlags{}
	cmd := f.command("resume", "Have reconcilers look after suspended objects again",
		`Have the reconcilers of suspended objects look after them again, and wait until
they are Ready or have failed. --all is everything that is suspended, or all of
a kind. Exit code 0: all are Ready; 1: one failed or does not exist; 2: misuse.`)
	cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait in all")
	return cmd
}

func (f *suspendFlags) command(name, short, long string) *cobra.Command {
	f.timeout = getTimeout
	cmd := &cobra.Command{
		Use:   name + " KIND/NAME... | [KIND] --all",
		Short: short,
		Long:  long,
		RunE:  func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), cmd.OutOrStdout(), args) },
	}
	f.register(cmd.Flags())
	cmd.Flags().BoolVar(&f.all, "all", false, "all objects, or all of a kind")
	return cmd
}

func (f *suspendFlags) run(ctx context.Context, w io.Writer, args []string) error {
	if err := errors.Join(f.check(), checkTimeout(f.timeout)); err != nil {
		return err
	}
	if f.all && len(args) > 1 {
		return fmt.Errorf("--all takes one kind at most, not %d arguments", len(args))
	}
	if !f.all && len(args) == 0 {
		return errors.New("name what to suspend or resume: KIND/NAME, or --all")
	}
	var targets []gitops.Target
	var err error
	if !f.all {
		if targets, err = gitops.ParseTargets(args); err != nil {
			return err
		}
	}
	c, config, err := f.open()
	if err != nil {
		return err
	}
	objects, err := f.chosen(ctx, c, config, args, targets)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	return f.each(ctx, c, newProgress(w), objects)
}

// chosen returns the objects that are meant.
func (f *suspendFlags) chosen(ctx context.Context, c *gitops.Cluster, config *rest.Config, args []string, targets []gitops.Target) ([]gitops.Object, error) {
	if !f.all {
		return f.find(ctx, c, config, targets)
	}
	kinds, err := f.kinds(c, config, args)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	var objects []gitops.Object
	for _, kind := range kinds {
		list, err := c.All(ctx, kind, f.namespace)
		if err != nil {
			return nil, failure{exitFailed, unreachable(config, err)}
		}
		for _, o := range list {
			if kind.Pause != "" && o.Suspended() != f.suspend {
				objects = append(objects, o)
			}
		}
	}
	return objects, nil
}

func (f *suspendFlags) kinds(c *gitops.Cluster, config *rest.Config, args []string) ([]gitops.Kind, error) {
	if len(args) == 1 {
		kind, err := c.KindOf(args[0])
		if err != nil {
			return nil, findFailure(config, err)
		}
		return []gitops.Kind{kind}, nil
	}
	kinds, err := c.Served()
	if err != nil {
		return nil, failure{exitFailed, unreachable(config, err)}
	}
	return kinds, nil
}

// each suspends or resumes all first, so that none waits for another that is
// still suspended, and then waits for what was resumed.
func (f *suspendFlags) each(ctx context.Context, c *gitops.Cluster, say *progress, objects []gitops.Object) error {
	bad := false
	var resumed []gitops.Object
	for _, o := range objects {
		was := o.Suspended()
		keeper, kept := o.SuspensionKeeper() // a write takes the field over
		o, err := c.Suspend(ctx, o, f.suspend)
		switch {
		case err != nil:
			say.fail(err)
			bad = true
		case was == f.suspend:
			say.good(o.ID(), "it was "+f.done()+" already")
		default:
			say.good(o.ID(), f.done())
			if kept {
				f.warn(say, o, keeper)
			}
			resumed = append(resumed, o)
		}
	}
	if len(objects) == 0 {
		say.note("nothing", "to "+f.verb())
	}
	if !f.suspend {
		bad = settleAll(ctx, c, say, resumed) || bad
	}
	if bad {
		return failed
	}
	return nil
}

func settleAll(ctx context.Context, c *gitops.Cluster, say *progress, objects []gitops.Object) (bad bool) {
	for _, o := range objects {
		if !o.Static() && !say.settle(ctx, c, o, gitops.Generation(o)) {
			bad = true
		}
	}
	return bad
}

// warn says what Git will make of it.
func (f *suspendFlags) warn(say *progress, o gitops.Object, keeper gitops.Keeper) {
	switch {
	case keeper.Sets:
		say.note(o.ID(), "Git says otherwise: the next reconcile of "+keeper.ID+" sets it back")
	case f.suspend:
		say.note(o.ID(), "Git does not know: "+keeper.ID+" goes on applying it, and leaves it suspended")
	}
}

func (f *suspendFlags) verb() string {
	if f.suspend {
		return "suspend"
	}
	return "resume"
}

func (f *suspendFlags) done() string {
	if f.suspend {
		return "suspended"
	}
	return "resumed"
}
