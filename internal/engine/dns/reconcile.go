package dns

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/engine/dns/plan"
	"hearth/internal/engine/dns/record"
	"hearth/internal/engine/dns/registry"
	"hearth/internal/engine/dns/settings"
	"hearth/internal/engine/dns/source"
	"hearth/internal/kube/work"
)

// The reasons of events, which External-DNS knows, too.
const (
	reasonReady = "RecordReady"
	reasonError = "RecordError"
)

// batch bounds how many changes a provider is given at once.
const batch = 100

// Reconcile looks at one instance: it reads, plans, and changes what differs.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	r.awake(req.NamespacedName)
	one, pod, err := r.instance(ctx, req.NamespacedName)
	if bad := (*argumentError)(nil); errors.As(err, &bad) {
		r.tell(req.NamespacedName, pod, Standing{Name: req.String()}, err)
		return reconcile.Result{}, nil // until the pod is replaced
	}
	if err != nil || one == nil {
		return reconcile.Result{}, err
	}
	standing, err := r.sync(ctx, one)
	r.tell(req.NamespacedName, pod, standing, err)
	switch {
	case err != nil && ctx.Err() != nil:
		return reconcile.Result{}, ctx.Err()
	case err != nil:
		return reconcile.Result{RequeueAfter: r.backoff.Next(req.NamespacedName, one.Settings.Interval)}, nil
	}
	r.backoff.Forget(req.NamespacedName)
	if one.Settings.Once {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{RequeueAfter: one.Settings.Interval}, nil
}

// instance returns who a request is about, or nil if nobody works there.
func (r *reconciler) instance(ctx context.Context, key types.NamespacedName) (*Instance, *corev1.Pod, error) {
	if i := slices.IndexFunc(r.o.Instances, func(one Instance) bool { return key == types.NamespacedName{Name: one.Name} }); i >= 0 {
		return &r.o.Instances[i], nil, nil
	}
	pod := &corev1.Pod{}
	err := r.client.Get(ctx, key, pod)
	if apierrors.IsNotFound(err) {
		r.forget(key)
		return nil, nil, nil
	}
	if err != nil || !runs(pod) {
		return nil, nil, err
	}
	one, err := r.play(ctx, pod)
	return &one, pod, err
}

// sync brings one provider's records to what the cluster wants.
func (r *reconciler) sync(ctx context.Context, one *Instance) (Standing, error) {
	standing := Standing{Name: one.Name, Provider: one.Settings.Provider, Owner: one.Settings.OwnerID}
	for _, name := range one.Settings.Sources {
		if !source.Known(name) {
			standing.Unread = append(standing.Unread, name)
		}
	}
	world, err := r.read(ctx, one.Settings.Sources)
	if err != nil {
		return standing, err
	}
	wanted := one.Provider.Adjust(source.Records(world, one.Settings))
	standing.Wanted = len(wanted)
	// A provider may take its time: it must not keep others from work.
	err = work.Aside(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, r.o.Timeout)
		defer cancel()
		return r.apply(ctx, one, wanted, &standing)
	})
	if err != nil {
		return standing, err
	}
	return standing, r.observed(ctx, world.Endpoints)
}

// apply plans, and carries the plan out in batches.
func (r *reconciler) apply(ctx context.Context, one *Instance, wanted []record.Record, standing *Standing) error {
	if r.o.Faults.On(domain.FaultDNSDown, one.Settings.Provider, one.Name) {
		return errors.New("the provider cannot be reached")
	}
	have, err := one.Provider.Records(ctx)
	if err != nil {
		return err
	}
	state := one.registry().Read(have)
	changes := plan.Calculate(state.Records, wanted, one.planOptions())
	groups := state.Groups(&changes)
	standing.Conflicts = changes.Conflicts
	if one.Settings.DryRun {
		return nil
	}
	for _, part := range plan.Batches(groups, batch) {
		if err := one.Provider.Apply(ctx, part); err != nil {
			return err
		}
		standing.Changed += len(slices.Concat(part...))
	}
	return nil
}

func (i *Instance) registry() registry.Registry {
	return registry.Registry{Owner: i.Settings.OwnerID, Affix: i.Settings.Affix, Off: off(i.Settings)}
}

func off(s settings.Settings) bool { return s.Registry == "noop" }

func (i *Instance) planOptions() plan.Options {
	o := plan.Options{Policy: i.Settings.Policy, Owner: i.Settings.OwnerID, Manages: i.Settings.Manages, Types: i.Settings.Types}
	if off(i.Settings) {
		o.Owner = ""
	}
	return o
}

// tell says how an instance stands: on the board, and by an event on its pod
// when it begins to fail, or no longer does.
func (r *reconciler) tell(key types.NamespacedName, pod *corev1.Pod, standing Standing, err error) {
	standing.Time = time.Now()
	message := ""
	if err != nil {
		message = fmt.Sprintf("the records at %s could not be brought up to date: %v", standing.Provider, err)
	}
	standing.Failure = message
	r.o.Board.set(key, standing)
	r.mu.Lock()
	before := r.failed[key]
	r.failed[key] = message
	r.mu.Unlock()
	switch {
	case pod == nil || message == before:
	case message != "":
		r.o.Recorder.Event(pod, corev1.EventTypeWarning, reasonError, message)
	default:
		r.o.Recorder.Event(pod, corev1.EventTypeNormal, reasonReady, fmt.Sprintf("the records at %s are up to date again", standing.Provider))
	}
}
