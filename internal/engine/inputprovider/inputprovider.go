// Package inputprovider fills the exported inputs of ResourceSetInputProviders:
// with their own values, with the branches, tags, requests and environments of
// a forge's repository, with the tags of an OCI repository, with what a service
// answers, or with the ExternalArtifacts of the cluster, filtered and sorted as
// flux-operator does it, when their interval or schedule says so.
//
// What it asks is bounded in size, pages and time, goes to no metadata service
// and, from a public address, to no private one; no value of a Secret reaches a
// message. A provider that cannot be asked keeps what it exported before. A
// rehearsal without a network makes plausible inputs up and says so. Logging in
// with the identity of a cloud is refused.
package inputprovider

import (
	"context"
	"fmt"
	"time"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/domain"
	"hearth/internal/engine/fluxoperator"
	"hearth/internal/kube/work"
	"hearth/internal/source/githubapp"
)

const (
	defaultInterval = 10 * time.Minute
	defaultTimeout  = 2 * time.Minute
	// concurrency is how many providers are asked at once.
	concurrency = 16
)

// Options are what the reconciler works with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Offline asks nobody, and makes inputs up.
	Offline bool
	// RefusePrivate refuses private addresses altogether.
	RefusePrivate bool
	// Assumptions is told of inputs that were made up; nil is not.
	Assumptions *domain.Assumptions
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
	// Now tells the time that schedules go by; nil means the clock's.
	Now func() time.Time
}

// Setup registers the reconciler with a manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(fluxoperator.FieldManager)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &reconciler{
		o:       o,
		client:  mgr.GetClient(),
		clients: fluxoperator.NewClients(mgr),
		desk: &fluxoperator.Desk[*fluxcdv1.ResourceSetInputProvider]{
			Client: mgr.GetClient(), Recorder: o.Recorder,
			New: func() *fluxcdv1.ResourceSetInputProvider { return &fluxcdv1.ResourceSetInputProvider{} },
		},
	}
	skip := true
	err := builder.ControllerManagedBy(mgr).Named("resourcesetinputprovider").
		For(&fluxcdv1.ResourceSetInputProvider{}, builder.WithPredicates(
			predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&sourcev1.ExternalArtifact{}, handler.EnqueueRequestsFromMapFunc(r.artifactChanged)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip}).
		Complete(work.Reconciler(o.Gate, r))
	if err != nil {
		return fmt.Errorf("setting up the ResourceSetInputProvider reconciler: %w", err)
	}
	return nil
}

type reconciler struct {
	o       Options
	client  client.Client
	clients *fluxoperator.Clients
	desk    *fluxoperator.Desk[*fluxcdv1.ResourceSetInputProvider]
	tokens  githubapp.Tokens
}

// artifactChanged queues the providers that look for ExternalArtifacts.
func (r *reconciler) artifactChanged(ctx context.Context, obj client.Object) []reconcile.Request {
	var list fluxcdv1.ResourceSetInputProviderList
	if err := r.client.List(ctx, &list); err != nil {
		return nil // the cache is stopping
	}
	var requests []reconcile.Request
	for i := range list.Items {
		provider := &list.Items[i]
		if provider.Spec.Type != fluxcdv1.ExternalArtifactInputs {
			continue
		}
		for _, selector := range provider.Spec.Selectors {
			if namespace := namespaceOf(selector, provider); namespace == "*" || namespace == obj.GetNamespace() {
				requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(provider)})
				break
			}
		}
	}
	return requests
}
