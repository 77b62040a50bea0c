package observe

import (
	"cmp"
	"slices"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
)

// event tells the domain event that a transition amounts to, if any: an object
// has just entered the state of its record.
func (w *Watcher) event(r *record, at time.Time) {
	if len(w.listeners) == 0 {
		return
	}
	switch e := domainEvent(r, at).(type) {
	case nil:
	case domain.HelmReleaseReady:
		w.postReady(e)
	default:
		w.post(e)
	}
}

func domainEvent(r *record, at time.Time) domain.Event {
	switch {
	case r.Kind == kindKustomization && (r.State == domain.KustomizationReady || r.State == domain.KustomizationFailed):
		if k, ok := typed[kustomizev1.Kustomization](r.last); ok {
			return fluxReconciled(r, k, at)
		}
	case r.Kind == kindHelmRelease && r.State == domain.ReleaseReady:
		if h, ok := typed[helmv2.HelmRelease](r.last); ok {
			return helmReleaseReady(r, h, at)
		}
	case r.Kind == kindExternalSecret && r.State == domain.SecretReady:
		if e, ok := typed[esv1.ExternalSecret](r.last); ok {
			return domain.SecretSynced{ExternalSecret: r.Ref, Secret: secretOf(e), Sources: vaultItems(e), Time: at}
		}
	}
	return nil
}

func fluxReconciled(r *record, k *kustomizev1.Kustomization, at time.Time) domain.FluxReconciled {
	e := domain.FluxReconciled{
		Kustomization: r.Ref,
		Status:        r.State,
		Revision:      cmp.Or(k.Status.LastAttemptedRevision, k.Status.LastAppliedRevision),
		Time:          at,
	}
	if k.Status.Inventory != nil {
		e.Applied = len(k.Status.Inventory.Entries)
	}
	return e
}

// secretOf names the Secret that an ExternalSecret makes.
func secretOf(e *esv1.ExternalSecret) domain.Ref {
	name := cmp.Or(e.Status.Binding.Name, e.Spec.Target.Name, e.Name)
	return domain.Ref{Kind: kindSecret, Namespace: e.Namespace, Name: name}
}

// vaultItems lists the paths that an ExternalSecret reads, each once.
func vaultItems(e *esv1.ExternalSecret) []string {
	var items []string
	for _, d := range e.Spec.DataFrom {
		if d.Extract != nil {
			items = append(items, vaultPath(*d.Extract))
		}
	}
	for _, d := range e.Spec.Data {
		items = append(items, vaultPath(d.RemoteRef))
	}
	slices.Sort(items)
	return slices.Compact(items)
}

func vaultPath(r esv1.RemoteRef) string {
	if r.Property == "" {
		return r.Key
	}
	return r.Key + "/" + r.Property
}

// announce tells that an object has come into being, where the domain has an
// event for that.
func (w *Watcher) announce(r *record) {
	if r.Kind != kindHTTPRoute || len(w.listeners) == 0 {
		return
	}
	if h, ok := typed[gatewayv1.HTTPRoute](r.last); ok {
		w.post(routeCreated(r.Ref, h, w.now()))
	}
}

func routeCreated(ref domain.Ref, h *gatewayv1.HTTPRoute, at time.Time) domain.HTTPRouteCreated {
	e := domain.HTTPRouteCreated{Route: ref, Time: at}
	for _, name := range h.Spec.Hostnames {
		e.Hostnames = append(e.Hostnames, string(name))
	}
	for _, p := range h.Spec.ParentRefs {
		e.Gateways = append(e.Gateways, parentRef(h.Namespace, p))
	}
	for _, rule := range h.Spec.Rules {
		for _, b := range rule.BackendRefs {
			backend := domain.Ref{Kind: "Service", Namespace: h.Namespace, Name: string(b.Name)}
			if b.Kind != nil {
				backend.Kind = string(*b.Kind)
			}
			if b.Namespace != nil {
				backend.Namespace = string(*b.Namespace)
			}
			if !slices.Contains(e.Backends, backend) {
				e.Backends = append(e.Backends, backend)
			}
		}
	}
	return e
}
