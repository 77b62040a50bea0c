package dns

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/objects"
)

// wake has an instance looked at after a wait, which counts as progress.
func (r *reconciler) wake(key types.NamespacedName, after time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[key] = true
	if r.queue == nil {
		return
	}
	if r.waiting[key] == nil {
		r.waiting[key] = r.o.Gate.Timer()
	}
	r.queue.AddAfter(reconcile.Request{NamespacedName: key}, after)
}

func (r *reconciler) wakeAll(after time.Duration) {
	r.mu.Lock()
	keys := slices.Collect(maps.Keys(r.known))
	r.mu.Unlock()
	for _, key := range keys {
		r.wake(key, after)
	}
}

// awake ends the wait of an instance that is looked at.
func (r *reconciler) awake(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if end := r.waiting[key]; end != nil {
		end()
		delete(r.waiting, key)
	}
}

// forget drops an instance that is gone.
func (r *reconciler) forget(key types.NamespacedName) {
	r.mu.Lock()
	delete(r.known, key)
	delete(r.failed, key)
	r.mu.Unlock()
	r.backoff.Forget(key)
	r.o.Board.drop(key)
}

// followFaults looks again at once when a fault begins or is lifted.
func (r *reconciler) followFaults(ctx context.Context) error {
	changed, end := r.o.Faults.Changes()
	defer end()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			r.wakeAll(0)
		}
	}
}

// endpointsDefinition is the name of the definition of DNSEndpoints.
const endpointsDefinition = "dnsendpoints.externaldns.k8s.io"

// ifConcerned calls look where an object can have to do with names.
func (r *reconciler) ifConcerned(obj client.Object, look func()) {
	switch obj := obj.(type) {
	case *apiextensionsv1.CustomResourceDefinition:
		if obj.Name != endpointsDefinition {
			return
		}
	case *corev1.Service:
		if !named(obj) {
			return
		}
	case *discoveryv1.EndpointSlice:
		svc := &corev1.Service{}
		key := types.NamespacedName{Namespace: obj.Namespace, Name: obj.Labels[discoveryv1.LabelServiceName]}
		if err := r.client.Get(context.Background(), key, svc); err != nil || svc.Spec.ClusterIP != corev1.ClusterIPNone || !named(svc) {
			return
		}
	}
	look()
}

// named reports whether an object has any of External-DNS' annotations.
func named(obj client.Object) bool {
	for key := range obj.GetAnnotations() {
		if prefix, name, ok := strings.Cut(key, "/"); ok && (strings.HasSuffix(name, "hostname") || strings.HasPrefix(prefix, "external-dns.")) {
			return true
		}
	}
	return false
}

// matters reports whether an update can change names: heartbeats do not.
func matters(before, now client.Object) bool {
	old, wasNode := before.(*corev1.Node)
	node, isNode := now.(*corev1.Node)
	if wasNode && isNode {
		return old.Spec.Unschedulable != node.Spec.Unschedulable || !equality.Semantic.DeepEqual(old.Status.Addresses, node.Status.Addresses)
	}
	if _, slow := now.(*corev1.Service); slow {
		return before.GetResourceVersion() != now.GetResourceVersion() && (named(before) || named(now))
	}
	return before.GetResourceVersion() != now.GetResourceVersion()
}

// specChanged reports whether more than the status of a DNSEndpoint changed.
func specChanged(c objects.Change) bool {
	return c.Old == nil || c.New == nil || c.Old.GetGeneration() != c.New.GetGeneration() ||
		!equality.Semantic.DeepEqual(c.Old.GetAnnotations(), c.New.GetAnnotations()) ||
		!equality.Semantic.DeepEqual(c.Old.GetLabels(), c.New.GetLabels())
}
