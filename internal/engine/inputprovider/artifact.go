package inputprovider

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/render/resourceset"
)

// namespaceOf returns where a selector looks; "*" is everywhere.
func namespaceOf(selector fluxcdv1.ArtifactSelector, of *provider) string {
	return cmp.Or(selector.Namespace, of.Namespace)
}

// artifacts lists the ExternalArtifacts that the selectors find: their labels,
// names and revisions.
func (w *walk) artifacts(ctx context.Context, f *filter) ([]map[string]any, error) {
	kube := w.client
	if account := w.Object.Spec.ServiceAccountName; account != "" {
		var err error
		if kube, err = w.clients.For(w.Key.Namespace, account); err != nil {
			return nil, err
		}
	}
	selected := map[client.ObjectKey]sourcev1.ExternalArtifact{}
	for _, selector := range w.Object.Spec.Selectors {
		var options []client.ListOption
		if namespace := namespaceOf(selector, w.Object); namespace != "*" {
			options = append(options, client.InNamespace(namespace))
		}
		labels, err := metav1.LabelSelectorAsSelector(&selector.LabelSelector)
		if err != nil {
			return nil, fmt.Errorf("invalid label selector: %w", err)
		}
		if selector.Name == "" {
			options = append(options, client.MatchingLabelsSelector{Selector: labels})
		}
		var list sourcev1.ExternalArtifactList
		if err := kube.List(ctx, &list, options...); err != nil {
			return nil, fmt.Errorf("failed to list ExternalArtifacts in namespace '%s': %w", namespaceOf(selector, w.Object), err)
		}
		for _, artifact := range list.Items {
			if selector.Name == "" || selector.Name == artifact.Name {
				selected[client.ObjectKeyFromObject(&artifact)] = artifact
			}
		}
	}
	names := make([]client.ObjectKey, 0, len(selected))
	for key := range selected {
		names = append(names, key)
	}
	slices.SortFunc(names, func(a, b client.ObjectKey) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	sets := []map[string]any{}
	for _, key := range names[:min(len(names), f.limit)] {
		set := map[string]any{}
		artifact := selected[key]
		for label, value := range artifact.Labels {
			set[label] = value
		}
		set["id"], set["name"], set["namespace"] = resourceset.ID(key.String()), key.Name, key.Namespace
		if artifact.Status.Artifact != nil {
			set["revision"] = artifact.Status.Artifact.Revision
		}
		sets = append(sets, set)
	}
	return sets, nil
}
