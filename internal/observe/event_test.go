package observe

import (
	"context"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
)

func TestEvents(t *testing.T) {
	w := newInformed()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got := make(chan domain.Event, 16)
	w.OnEvent(func(e domain.Event) { got <- e })
	go w.deliver(ctx)

	k := kustomization("apps", is(metav1.ConditionTrue, "ReconciliationSucceeded", ""))
	k.Status.LastAttemptedRevision = "main@sha1:abc"
	k.Status.Inventory = &kustomizev1.ResourceInventory{Entries: make([]kustomizev1.ResourceRef, 3)}
	w.see(kustomizationKind, k)
	k = k.DeepCopy()
	k.Status.Conditions = []metav1.Condition{is(metav1.ConditionFalse, "ReconciliationFailed", "bad")}
	w.see(kustomizationKind, k)

	w.see(externalSecretKind, externalSecret(1))

	h := &helmv2.HelmRelease{}
	h.Namespace, h.Name = "media", "immich"
	h.Spec.Values = &apiextensionsv1.JSON{Raw: []byte(`{"a":1}`)}
	h.Status.History = helmv2.Snapshots{{Name: "photos", Namespace: "media", Version: 1, ChartVersion: "4.0.0", ConfigDigest: "sha256:1234"}}
	h.Status.Conditions = []metav1.Condition{is(metav1.ConditionTrue, "InstallSucceeded", "")}
	w.see(helmReleaseKind, h)

	r := &gatewayv1.HTTPRoute{}
	r.Namespace, r.Name = "media", "immich"
	network := gatewayv1.Namespace("network")
	r.Spec.Hostnames = []gatewayv1.Hostname{"photos.example.com"}
	r.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "envoy-internal", Namespace: &network}}
	backend := gatewayv1.HTTPBackendRef{}
	backend.Name = "immich-server"
	r.Spec.Rules = []gatewayv1.HTTPRouteRule{{BackendRefs: []gatewayv1.HTTPBackendRef{backend, backend}}}
	w.see(httpRouteKind, r)

	apps := domain.Ref{Kind: "Kustomization", Namespace: "flux-system", Name: "apps"}
	immich := func(kind string) domain.Ref { return domain.Ref{Kind: kind, Namespace: "media", Name: "immich"} }
	start := w.clock.Add(-5 * time.Second)
	at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	want := []domain.Event{
		domain.FluxReconciled{Kustomization: apps, Applied: 3, Status: domain.KustomizationReady, Revision: "main@sha1:abc", Time: at(1)},
		domain.FluxReconciled{Kustomization: apps, Applied: 3, Status: domain.KustomizationFailed, Revision: "main@sha1:abc", Time: at(2)},
		domain.SecretSynced{
			ExternalSecret: immich("ExternalSecret"),
			Secret:         domain.Ref{Kind: "Secret", Namespace: "media", Name: "immich-secret"},
			Sources:        []string{"immich", "smtp/PASSWORD"},
			Time:           at(3),
		},
		domain.HelmReleaseReady{Release: immich("HelmRelease"), Name: "photos", Namespace: "media", ChartVersion: "4.0.0", Values: map[string]any{"a": 1.0}, ValuesDigest: "sha256:1234", Time: at(4)},
		domain.HTTPRouteCreated{
			Route:     immich("HTTPRoute"),
			Hostnames: []string{"photos.example.com"},
			Gateways:  []domain.Ref{{Kind: "Gateway", Namespace: "network", Name: "envoy-internal"}},
			Backends:  []domain.Ref{{Kind: "Service", Namespace: "media", Name: "immich-server"}},
			Time:      at(5),
		},
	}
	for _, event := range want {
		select {
		case e := <-got:
			if diff := cmp.Diff(event, e); diff != "" {
				t.Errorf("%s: %s", event.EventName(), diff)
			}
		case <-ctx.Done():
			t.Fatalf("%s did not come", event.EventName())
		}
	}
}
