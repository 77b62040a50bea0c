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
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"hearth/internal/kube/gitops"
	"hearth/internal/observe"
)

// waitFlags say what to wait for.
type waitFlags struct {
	clusterFlags
	condition string
	timeout   time.Duration
}

func newWaitCommand() *cobra.Command {
	var f waitFlags
	cmd := &cobra.Command{
		Use:   "wait KIND/NAME...",
		Short: "Wait until objects are ready, deleted, suspended, or have a condition",
		Long: `Wait until something holds of all the objects that are named, of whatever kind:
--for ready (the default), deleted, suspended, or condition=NAME, which may have
a value behind it (condition=Ready=False). With -n an object need not exist yet.
Exit code 0: it holds of all; 1: it did not in time, or there is no such object;
2: misuse.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), cmd.OutOrStdout(), args) },
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.StringVar(&f.condition, "for", "ready", "what to wait for: ready, deleted, suspended or condition=NAME[=VALUE]")
	flags.DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait in all")
	return cmd
}

func (f *waitFlags) run(ctx context.Context, w io.Writer, args []string) error {
	targets, err := gitops.ParseTargets(args)
	if err != nil {
		return err
	}
	wanted, err := observe.ParseGoal(f.condition)
	if err := errors.Join(err, f.check(), checkTimeout(f.timeout)); err != nil {
		return err
	}
	c, config, err := f.open()
	if err != nil {
		return err
	}
	say := newProgress(w)
	awaited, err := f.awaited(ctx, c, config, targets, wanted, say)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	var group errgroup.Group
	var mu sync.Mutex
	bad := false
	for _, a := range awaited {
		group.Go(func() error {
			if !a.wait(ctx, c, wanted, say) {
				mu.Lock()
				defer mu.Unlock()
				bad = true
			}
			return nil
		})
	}
	_ = group.Wait() // no member returns an error
	if bad {
		return failed
	}
	return nil
}

// awaitedObject is an object that is waited for, whether it exists or not.
type awaitedObject struct {
	kind gitops.Kind
	key  types.NamespacedName
}

// awaited finds the objects that targets mean. One whose namespace is known
// may be missing; one that should be deleted may be, wherever it was.
func (f *waitFlags) awaited(ctx context.Context, c *gitops.Cluster, config *rest.Config, targets []gitops.Target, wanted observe.Goal, say *progress) ([]awaitedObject, error) {
	var awaited []awaitedObject
	for _, t := range targets {
		found, err := f.find(ctx, c, config, []gitops.Target{t})
		var missing *gitops.NotFoundError
		switch {
		case err == nil:
			o := found[0]
			awaited = append(awaited, awaitedObject{o.Kind, types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}})
			continue
		case !errors.As(err, &missing) || len(missing.Namespaces) > 1:
			return nil, err
		}
		kind, kindErr := c.KindOf(t.Kind)
		switch {
		case kindErr != nil:
			return nil, findFailure(config, kindErr)
		case missing.Namespace != "" || kind.ClusterScoped:
			awaited = append(awaited, awaitedObject{kind, types.NamespacedName{Namespace: missing.Namespace, Name: t.Name}})
		case wanted.Absent():
			say.good(kind.Kind+" "+t.Name, "it does not exist")
		default:
			return nil, err
		}
	}
	return awaited, nil
}

// wait waits for one object, and tells how that ended.
func (a awaitedObject) wait(ctx context.Context, c *gitops.Cluster, wanted observe.Goal, say *progress) (ok bool) {
	id := a.kind.Kind + " " + a.key.Name
	if a.key.Namespace != "" {
		id = a.kind.Kind + " " + a.key.String()
	}
	last := ""
	err := c.Await(ctx, a.kind, a.key, func(obj *unstructured.Unstructured) (done bool, err error) {
		done, last = wanted.Reached(obj)
		return done, nil
	})
	switch {
	case err == nil:
		say.good(id, last)
		return true
	case ctx.Err() != nil && last != "":
		say.bad(id, fmt.Sprintf("not %s in time: %s", wanted, last))
	case ctx.Err() != nil:
		say.bad(id, fmt.Sprintf("not %s in time", wanted))
	default:
		say.fail(err)
	}
	return false
}
