package fluxinstance

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

// count counts the objects of one kind by what they do.
func (r *reporter) count(ctx context.Context, list client.ObjectList) (fluxcdv1.ReconcilerStats, error) {
	var stats fluxcdv1.ReconcilerStats
	if err := r.client.List(ctx, list); err != nil {
		return stats, err
	}
	var size int64
	err := apimeta.EachListItem(list, func(item runtime.Object) error {
		obj, ok := item.(client.Object)
		if !ok {
			return nil
		}
		switch {
		case isSuspended(obj):
			stats.Suspended++
		default:
			stats.Running++
			if getter, ok := item.(conditions.Getter); ok && conditions.IsFalse(getter, meta.ReadyCondition) {
				stats.Failing++
			}
		}
		if source, ok := item.(interface{ GetArtifact() *meta.Artifact }); ok && source.GetArtifact() != nil && source.GetArtifact().Size != nil {
			size += *source.GetArtifact().Size
		}
		return nil
	})
	if size > 0 {
		stats.TotalSize = fmt.Sprintf("%.1f MiB", float64(size)/(1<<20))
	}
	return stats, err
}

// isSuspended reports whether an object is not to be reconciled: by its spec,
// or by flux-operator's annotation.
func isSuspended(obj client.Object) bool {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return false
	}
	spec, _ := content["spec"].(map[string]any)
	suspended, _ := spec["suspend"].(bool)
	return suspended || fluxcdv1.IsDisabled(obj)
}

// sync tells how the cluster follows its source, or nothing where there is none.
func (r *reporter) sync(ctx context.Context, instance *fluxcdv1.FluxInstance) *fluxcdv1.ReportedSync {
	if instance.Spec.Sync == nil {
		return nil
	}
	key := client.ObjectKey{Namespace: instance.Namespace, Name: cmp.Or(instance.Spec.Sync.Name, instance.Namespace)}
	k := &kustomizev1.Kustomization{}
	if err := r.client.Get(ctx, key, k); err != nil {
		return nil
	}
	sync := &fluxcdv1.ReportedSync{ID: "kustomization/" + key.Name, Path: k.Spec.Path, Status: "not initialized"}
	if ready := conditions.Get(k, meta.ReadyCondition); ready != nil {
		sync.Ready, sync.Status = ready.Status != "False", ready.Message
	}
	source := r.source(ctx, k.Spec.SourceRef.Kind, key)
	if source == nil {
		return sync
	}
	switch s := source.(type) {
	case *sourcev1.GitRepository:
		sync.Source = s.Spec.URL
	case *sourcev1.OCIRepository:
		sync.Source = s.Spec.URL
	case *sourcev1.Bucket:
		sync.Source = strings.TrimSuffix(s.Spec.Endpoint, "/") + "/" + s.Spec.BucketName
	}
	if ready := conditions.Get(source, meta.ReadyCondition); ready != nil && ready.Status == "False" {
		sync.Ready = false
		sync.Status += "\n" + ready.Message
	}
	return sync
}

func (r *reporter) source(ctx context.Context, kind string, key client.ObjectKey) conditions.Getter {
	var obj conditions.Getter
	switch kind {
	case "GitRepository":
		obj = &sourcev1.GitRepository{}
	case "OCIRepository":
		obj = &sourcev1.OCIRepository{}
	case "Bucket":
		obj = &sourcev1.Bucket{}
	default:
		return nil
	}
	if err := r.client.Get(ctx, key, obj); err != nil {
		return nil
	}
	return obj
}
