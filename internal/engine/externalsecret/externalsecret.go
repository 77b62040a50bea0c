// Package externalsecret makes Secrets of what a vault holds, as External
// Secrets Operator does: it reconciles ExternalSecrets, writes values back for
// PushSecrets, makes those of either that a ClusterExternalSecret or a
// ClusterPushSecret asks for, and validates the SecretStores and
// ClusterSecretStores that all of them use.
//
// An ExternalSecret waits for its store without asking it. It fails with the
// vault's item and field in its Ready condition, keeps the last good Secret
// meanwhile, and is tried again for ever: after an exponential back-off, and
// at once when something it waits for changes. A Secret is written only if its
// content changed, in one update. No value reaches a condition, an event or an
// error. What is in the vault is left to package onepassword, what templates
// do to package template, and what pods make of it to others.
package externalsecret

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/kube/work"
)

// Options says what the reconcilers work with. All of it may be left out.
type Options struct {
	// Gate bounds the work, and knows of it.
	Gate *work.Gate

	// Seed that the jitter of refreshes is drawn from.
	Seed uint64

	// Connect says where a store's Connect server is to be found instead, by
	// the connectHost of the store; an empty token means the store's own. It is
	// asked with "" for stores of providers that Hearth does not speak: if ok,
	// they are played from that server's vaults. Nil means that every store
	// leads where it says.
	Connect func(storeHost string) (url, token string, ok bool)

	// Available is asked before each read whether a Connect server could be
	// reached in life; its error says why not. Nil means yes.
	Available func(ctx context.Context, storeHost string) error

	// Prepare is called before each read for an ExternalSecret, which it must
	// not change. It lets a rehearsal make up what will be read.
	Prepare func(ctx context.Context, es *v1.ExternalSecret)

	// Assumptions records stores that are played.
	Assumptions *domain.Assumptions

	// OtherKinds reports whether ExternalSecrets may make objects of other kinds
	// than Secret, which the operator does behind a switch only; nil means no.
	OtherKinds func(ctx context.Context) bool

	// Trigger asks for reconciles from outside.
	Trigger *Trigger

	// RetryCap bounds the back-off after failures; 0 means 5 minutes. A
	// shorter refresh interval bounds it, too.
	RetryCap time.Duration

	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

// concurrency bounds the reconciles that are under way, most of which wait;
// the gate bounds those that compute.
const concurrency = 128

// fieldManager is who writes, as the API server records it.
const fieldManager = "externalsecrets.external-secrets.io"

// Setup registers the reconcilers with a manager, whose cache they share.
func Setup(mgr manager.Manager, o Options) error {
	if o.RetryCap <= 0 {
		o.RetryCap = 5 * time.Minute
	}
	if o.Trigger == nil {
		o.Trigger = &Trigger{}
	}
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor("external-secrets")
	}
	providers := newProviders(o, mgr.GetClient(), mgr.GetAPIReader())
	if err := setupStores(mgr, o, providers); err != nil {
		return fmt.Errorf("setting up the secret store reconcilers: %w", err)
	}
	if err := setupSecrets(mgr, o, providers); err != nil {
		return fmt.Errorf("setting up the ExternalSecret reconciler: %w", err)
	}
	for _, kind := range spreadKinds {
		if err := setupClusterwide(mgr, o, kind); err != nil {
			return fmt.Errorf("setting up the %s reconciler: %w", kind.kind.Kind, err)
		}
	}
	return nil
}

func setupStores(mgr manager.Manager, o Options, p *providers) error {
	events := o.Trigger.stores()
	for _, kind := range []string{v1.SecretStoreKind, v1.ClusterSecretStoreKind} {
		r := &storeReconciler{o: o, kind: kind, client: mgr.GetClient(), providers: p, backoff: &work.Backoff[types.NamespacedName]{}}
		err := builder.ControllerManagedBy(mgr).Named("external-secrets-"+kind).
			For(newStore(kind), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
			Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.usingToken)).
			Watches(&discoveryv1.EndpointSlice{}, handler.EnqueueRequestsFromMapFunc(r.usingService)).
			WatchesRawSource(source.Channel(events[kind], handler.EnqueueRequestsFromMapFunc(r.all))).
			WithOptions(options()).
			Complete(work.Reconciler(o.Gate, r))
		if err != nil {
			return err
		}
	}
	return nil
}

func setupSecrets(mgr manager.Manager, o Options, p *providers) error {
	r := &reconciler{
		o: o, client: mgr.GetClient(), live: mgr.GetAPIReader(), providers: p,
		memory: &memory{}, targets: newObjectWatches(mgr),
	}
	if err := indexExternalSecrets(mgr); err != nil {
		return err
	}
	if err := setupPushSecrets(mgr, r); err != nil {
		return fmt.Errorf("setting up the PushSecret reconciler: %w", err)
	}
	changed := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	var err error
	r.targets.controller, err = builder.ControllerManagedBy(mgr).Named("external-secrets-externalsecret").
		For(&v1.ExternalSecret{}, builder.WithPredicates(changed)).
		Watches(&v1.SecretStore{}, handler.EnqueueRequestsFromMapFunc(r.waitingFor), builder.WithPredicates(readinessChanged())).
		Watches(&v1.ClusterSecretStore{}, handler.EnqueueRequestsFromMapFunc(r.waitingFor), builder.WithPredicates(readinessChanged())).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.concernedBySecret)).
		Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.templatedBy)).
		WatchesRawSource(source.Channel(o.Trigger.secrets(), handler.EnqueueRequestsFromMapFunc(r.poked))).
		WithOptions(options()).
		Build(work.Reconciler(o.Gate, r))
	return err
}

func options() controller.Options {
	skip := true // several managers of one process have controllers of these names
	return controller.Options{MaxConcurrentReconciles: concurrency, SkipNameValidation: &skip}
}
