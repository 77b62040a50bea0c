package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/domain"
	"hearth/internal/kube/objects"
	"hearth/internal/observe"
)

// quiet is how long nothing may change before a rehearsal is taken to have
// settled. It is longer than the calm after which stand-ins make up what is
// missing, and longer than the second for which the Job controller gathers
// what happened to its pods.
const quiet = 2 * time.Second

// calm is how long nothing may change once everything is ready.
const calm = 500 * time.Millisecond

// followedKinds are followed beside what reconcilers follow, so that what the
// workload controllers do counts as progress.
var followedKinds = []schema.GroupVersionKind{
	{Group: "apps", Version: "v1", Kind: "Deployment"},
	{Group: "apps", Version: "v1", Kind: "ReplicaSet"},
	{Group: "apps", Version: "v1", Kind: "StatefulSet"},
	{Group: "apps", Version: "v1", Kind: "DaemonSet"},
	{Group: "batch", Version: "v1", Kind: "Job"},
	{Version: "v1", Kind: "Pod"},
	{Version: "v1", Kind: "PersistentVolumeClaim"},
}

// observedKinds tell their progress by transitions between states; that a
// retry writes the same failure once more is none.
var observedKinds = map[string]bool{
	"Kustomization": true, "HelmRelease": true, "ExternalSecret": true, "Pod": true, "HTTPRoute": true,
}

// touch counts a change as progress.
func (s *Stage) touch(c objects.Change) {
	born, gone := c.Old == nil, c.New == nil
	if gone && c.Key.Kind == "Pod" {
		s.simulated.forget(domain.Ref{Kind: "Pod", Namespace: c.Key.Namespace, Name: c.Key.Name})
	}
	if born || gone || !observedKinds[c.Key.Kind] || c.Old.GetGeneration() != c.New.GetGeneration() {
		s.gate.Touch()
	}
}

// touchNews counts a transition as progress where it arrives or leads the
// object to a state that it was never in: one that goes round between failing
// and trying again makes no progress.
func (s *Stage) touchNews() func(observe.Transition) {
	type visit struct {
		domain.Ref
		domain.State
	}
	visited := map[visit]bool{}
	return func(t observe.Transition) {
		v := visit{t.Ref, t.To}
		if info, _ := machineInfo(t.Kind, t.To); info.Ready || !visited[v] {
			s.gate.Touch()
		}
		visited[v] = true
	}
}

func machineInfo(kind string, state domain.State) (domain.StateInfo, bool) {
	machine, ok := domain.MachineFor(kind)
	if !ok {
		return domain.StateInfo{}, false
	}
	return machine.Info(state)
}

// Settle waits until everything is ready, or until nothing can make progress
// any more: no reconcile is under way, no simulated duration runs, and a last
// try of all that failed changed nothing. It also ends with ctx, and after the
// options' timeout; the report then says so.
func (s *Stage) Settle(ctx context.Context) *Report {
	if s.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.options.Timeout)
		defer cancel()
	}
	s.watcher.Subscribe(s.touchNews())
	incomplete, well := s.settle(ctx)
	if incomplete == "" && s.directSettled(ctx) {
		incomplete, well = s.settle(ctx)
	}
	for _, f := range s.faults.Active() {
		s.noteEffect(f)
	}
	r := s.report(incomplete)
	if r.Verdict == Failed || !well {
		s.findCauses(ctx, r)
	}
	return r
}

// settle returns why it ended early, empty where it did not, and whether nothing
// at all is in trouble.
func (s *Stage) settle(ctx context.Context) (incomplete string, well bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	converged, settled := s.whenConverged(ctx), s.whenQuiet(ctx)
	var tried map[domain.Ref]bool
	for {
		select {
		case <-ctx.Done():
			return s.interrupted(ctx), false
		case <-s.kubernetes.Done():
			return fmt.Sprintf("Kubernetes stopped: %v", s.kubernetes.Err()), false
		case err := <-s.done:
			s.done <- err
			return fmt.Sprintf("the reconcilers stopped: %v", err), false
		case err := <-s.entered:
			if err != nil && ctx.Err() == nil {
				return err.Error(), false
			}
			continue
		case <-converged:
			if !s.othersDown(ctx) {
				return "", true
			}
			converged = s.whenConverged(ctx) // what is not counted may still come
			continue
		case <-settled:
		}
		now := s.readiness()
		if tried != nil && maps.Equal(tried, now) {
			return "", false
		}
		tried = now
		s.assume(ctx)
		if err := s.retry(ctx); err != nil && ctx.Err() == nil {
			return err.Error(), false
		}
		s.gate.Touch() // the last try is to be given its time
		settled = s.whenQuiet(ctx)
	}
}

func (s *Stage) interrupted(ctx context.Context) string {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return fmt.Sprintf("not settled within %s", s.options.Timeout)
	}
	return "interrupted"
}

// whenQuiet returns a channel that closes once nothing makes progress.
func (s *Stage) whenQuiet(ctx context.Context) <-chan struct{} {
	ch := make(chan struct{})
	go func() {
		if s.gate.Quiet(ctx, quiet) == nil {
			close(ch)
		}
	}()
	return ch
}

// whenConverged returns a channel that closes once every object is ready and
// has been for a moment, so that what its controllers still make is seen.
func (s *Stage) whenConverged(ctx context.Context) <-chan struct{} {
	ch := make(chan struct{})
	changes, stop := s.watcher.Changes()
	go func() {
		defer stop()
		for {
			if s.gate.Quiet(ctx, calm) != nil {
				return
			}
			if s.converged() {
				close(ch)
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-changes:
			}
		}
	}()
	return ch
}

// converged reports whether everything that there is is ready.
func (s *Stage) converged() bool {
	list := s.watcher.Snapshot()
	for _, o := range list {
		if !o.Ready && !o.Suspended {
			return false
		}
	}
	return len(list) > 0
}

// readiness tells of every object whether it is ready.
func (s *Stage) readiness() map[domain.Ref]bool {
	all := map[domain.Ref]bool{}
	for _, o := range s.watcher.Snapshot() {
		all[o.Ref] = o.Ready
	}
	return all
}

// assume makes up what others wait for and nobody is going to bring.
func (s *Stage) assume(ctx context.Context) {
	if err := errors.Join(s.assumeOpenKinds(ctx), s.fillGaps(ctx)); err != nil && ctx.Err() == nil {
		s.problem("%v", err)
	}
}

// assumeWhenQuiet does so whenever nothing makes progress, until ctx ends.
func (s *Stage) assumeWhenQuiet(ctx context.Context) {
	changes, stop := s.watcher.Changes()
	defer stop()
	s.watcher.Subscribe(s.touchNews())
	for s.gate.Quiet(ctx, quiet) == nil {
		s.assume(ctx)
		select {
		case <-ctx.Done():
			return
		case <-changes:
		}
	}
}
