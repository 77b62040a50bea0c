// Package kustomization makes the cluster follow Flux Kustomizations: it
// builds the path of a source's artifact, applies it server-side in stages,
// prunes what is gone, and checks the health of what it applied, as Flux's
// kustomize-controller does, with its fields, conditions, messages and events.
//
// A reconcile walks the domain's machine: Fetching, Building, Applying, Ready
// or Failed, each told by the Reconciling condition while it lasts. What Flux
// polls for it listens for: a dependency that turns ready, a source's new
// revision, a changed object under a health check, a CRD that arrives. A build
// or apply that fails changes nothing else and prunes nothing; pruning only
// removes what the inventory lists and still carries the owner's labels. An
// unchanged revision without drift makes no write.
//
// Objects that go to another cluster, by spec.kubeConfig, are applied, checked
// and pruned as whom its kubeconfig stands for. That cluster is not listened
// to: what is waited for there is looked at every few seconds.
//
// Where artifacts come from is left to the source reconcilers, how objects are
// built and decrypted to render.
package kustomization

import (
	"context"
	"fmt"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"hearth/internal/domain"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
	"hearth/internal/render"
	"hearth/internal/source"
	"hearth/internal/source/foreign"
)

const (
	// fieldManager owns the fields of applied objects, statusManager those of
	// a Kustomization's status, both as with Flux.
	fieldManager  = "kustomize-controller"
	statusManager = "gotk-" + fieldManager

	// concurrency is how many Kustomizations are under way at once.
	concurrency = 128
)

// Options are what the reconciler works with.
type Options struct {
	// Gate bounds the work done at once; nil bounds nothing.
	Gate *work.Gate
	// Objects reads objects and tells when they change.
	Objects *objects.Objects
	// Store has the artifacts that sources publish.
	Store *source.Store
	// Artifacts finds those, and fetches what others publish; nil makes one
	// for the store.
	Artifacts *foreign.Artifacts
	// Index is told where in Git each built object stands; nil is not.
	Index *render.Index
	// UnknownKind is asked about a kind that the server does not know, before
	// an apply fails on it; place is where the first object of it stands. It
	// reports whether the server knows the kind now, or will in a moment. It is
	// called concurrently. Nil knows none.
	UnknownKind func(ctx context.Context, gvk schema.GroupVersionKind, place domain.Place) (handled bool, err error)
	// LenientSubstitution makes variables that are unknown and have no default
	// empty, as Flux did before 2.9, where they are an error.
	LenientSubstitution bool
	// NoCrossNamespaceRefs refuses sources of other namespaces.
	NoCrossNamespaceRefs bool
	// LateKeys lets a Kustomization whose decryption Secret is missing pass for
	// as long as nothing is encrypted, where Flux fails at once: people make
	// these Secrets by hand, and a rehearsal has none of them.
	LateKeys bool
	// Offline makes a build fail that would have to fetch something.
	Offline bool
	// Jitter is the share of an interval, from 0 to 0.5, by which it is made
	// longer or shorter, for each Kustomization by another amount.
	Jitter float64
	// Recorder takes events; nil means the manager's own.
	Recorder record.EventRecorder
}

// Setup registers the reconciler with a manager.
func Setup(mgr manager.Manager, o Options) error {
	if o.Artifacts == nil {
		o.Artifacts = foreign.New(o.Store)
	}
	if o.Recorder == nil {
		o.Recorder = mgr.GetEventRecorderFor(fieldManager)
	}
	live, err := liveClient(mgr, mgr.GetConfig())
	if err != nil {
		return fmt.Errorf("setting up the Kustomization reconciler: %w", err)
	}
	r := &reconciler{
		o:       o,
		client:  mgr.GetClient(),
		reader:  mgr.GetAPIReader(),
		live:    live,
		clients: &clients{mgr: mgr},
		wake:    newWaker(),
		crds:    newCRDWatch(),
		memory:  newMemory(),
	}
	if err := r.register(mgr); err != nil {
		return fmt.Errorf("setting up the Kustomization reconciler: %w", err)
	}
	return nil
}

// liveClient returns a client that reads from the server: what is applied is
// compared with what is there now, managed fields included.
func liveClient(mgr manager.Manager, config *rest.Config) (client.Client, error) {
	options := client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()}
	if config == mgr.GetConfig() {
		options.HTTPClient = mgr.GetHTTPClient()
	}
	return client.New(config, options)
}

type reconciler struct {
	o       Options
	client  client.Client // reads from the shared cache
	reader  client.Reader // reads from the server
	live    client.Client
	clients *clients
	wake    *waker
	crds    *crdWatch
	memory  *memory
}

// ownerGroup is the prefix of the labels and annotations of Kustomizations.
var ownerGroup = kustomizev1.GroupVersion.Group
