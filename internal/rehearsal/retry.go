package rehearsal

import (
	"context"
	"fmt"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// forceSync asks for an ExternalSecret to be synced now.
const forceSync = "force-sync"

// retried are the states from which a reconciler would try again only after
// its back-off, though what it waits for may have come meanwhile.
var retried = map[string]map[domain.State]bool{
	"Kustomization":  {domain.KustomizationFailed: true, domain.KustomizationFetching: true},
	"HelmRelease":    {domain.ReleaseFailed: true, domain.ReleasePending: true},
	"ExternalSecret": {domain.SecretFailed: true, domain.SecretPending: true},
}

var retriedKinds = map[string]schema.GroupVersionKind{
	"Kustomization":  {Group: groups["Kustomization"], Version: "v1", Kind: "Kustomization"},
	"HelmRelease":    {Group: groups["HelmRelease"], Version: "v2", Kind: "HelmRelease"},
	"ExternalSecret": {Group: groups["ExternalSecret"], Version: "v1", Kind: "ExternalSecret"},
}

// retry asks everything that failed to try once more, as a person at a
// terminal would, instead of waiting for back-offs to pass.
func (s *Stage) retry(ctx context.Context) error {
	s.engine.trigger.Poke()
	at := time.Now().Format(time.RFC3339Nano)
	for _, o := range s.watcher.Snapshot() {
		if o.Suspended || !retried[o.Kind][o.State] {
			continue
		}
		if err := s.request(ctx, o, at); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stage) request(ctx context.Context, o observe.Object, at string) error {
	annotation := meta.ReconcileRequestAnnotation
	if o.Kind == "ExternalSecret" {
		annotation = forceSync
	}
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(retriedKinds[o.Kind])
	obj.SetNamespace(o.Namespace)
	obj.SetName(o.Name)
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, annotation, at)
	err := s.engine.client.Patch(ctx, obj, client.RawPatch("application/merge-patch+json", patch))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("ask %s to reconcile: %w", o.Ref, err)
	}
	return nil
}
