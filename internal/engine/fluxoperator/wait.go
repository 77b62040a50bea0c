package fluxoperator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fluxcd/pkg/ssa"
	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/kube/health"
	"hearth/internal/kube/objects"
)

// ErrInterrupted ends a wait because the owner is to be reconciled again.
var ErrInterrupted = errors.New("a new reconcile was asked for")

// Interrupts end the waits of reconciles that are outdated. The zero value is
// ready to use; its methods may be called concurrently.
type Interrupts struct {
	mu       sync.Mutex
	waiting  map[types.NamespacedName]context.CancelCauseFunc
	outdated map[types.NamespacedName]bool
}

// Start says that a reconcile of an owner begins: what comes from now on makes
// it outdated.
func (i *Interrupts) Start(name types.NamespacedName) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.outdated, name)
}

// Interrupt ends the wait of an owner, now or as soon as it begins.
func (i *Interrupts) Interrupt(name types.NamespacedName) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if cancel := i.waiting[name]; cancel != nil {
		cancel(ErrInterrupted)
		return
	}
	if i.outdated == nil {
		i.outdated = map[types.NamespacedName]bool{}
	}
	i.outdated[name] = true
}

func (i *Interrupts) begin(ctx context.Context, name types.NamespacedName) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.outdated[name] {
		cancel(ErrInterrupted)
	}
	if i.waiting == nil {
		i.waiting = map[types.NamespacedName]context.CancelCauseFunc{}
	}
	i.waiting[name] = cancel
	return ctx, func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.waiting, name)
		cancel(nil)
	}
}

// Wait waits until all that an apply covered is ready, until one object has
// failed, or for the timeout. It returns ErrInterrupted where the owner is to
// be reconciled again.
func (s *Set) Wait(ctx context.Context, interrupts *Interrupts, changes *ssa.ChangeSet, timeout time.Duration) error {
	var keys []objects.Key
	for _, change := range changes.Entries {
		id := change.ObjMetadata
		if change.Action == ssa.SkippedAction || id.GroupKind.Kind == "CustomResourceDefinition" {
			continue // definitions were waited for when they were applied
		}
		keys = append(keys, objects.Key{
			GroupVersionKind: id.GroupKind.WithVersion(change.GroupVersion),
			NamespacedName:   types.NamespacedName{Namespace: id.Namespace, Name: id.Name},
		})
	}
	waiting, done := interrupts.begin(ctx, types.NamespacedName{Namespace: s.Namespace, Name: s.Name})
	defer done()
	waiting, cancel := context.WithTimeout(waiting, timeout)
	defer cancel()
	err := health.Await(waiting, s.Objects, keys, Ready)
	if errors.Is(context.Cause(waiting), ErrInterrupted) {
		return ErrInterrupted
	}
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		return fmt.Errorf("timeout waiting after %s: %w", timeout, err)
	}
	return err
}
