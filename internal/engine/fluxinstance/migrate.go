package fluxinstance

import (
	"context"
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/fluxoperator"
)

// migrationPage is how many objects are read at a time.
const migrationPage = 200

// migrate lets the server store the objects of Flux's kinds anew that it may
// hold in an old version, so that the old version can go. An annotation that
// forces the reconcile lets it look at all of them.
func (w *walk) migrate(ctx context.Context) error {
	force := w.Object.Annotations[meta.ForceRequestAnnotation]
	all := force != "" && force != w.Object.Status.LastHandledForceAt
	if w.Repeated && !all {
		return nil // looked at when the instance was last applied
	}
	var list apiextensionsv1.CustomResourceDefinitionList
	reader, err := w.clients.For(w.Key.Namespace, "")
	if err != nil {
		return err
	}
	if err := reader.List(ctx, &list); err != nil {
		return fmt.Errorf("list the definitions of Flux's kinds: %w", err)
	}
	for i := range list.Items {
		definition := &list.Items[i]
		stored := storageVersion(definition)
		outdated := len(definition.Status.StoredVersions) > 1 || len(definition.Status.StoredVersions) == 1 && definition.Status.StoredVersions[0] != stored
		if !strings.HasSuffix(definition.Spec.Group, ".toolkit.fluxcd.io") || !outdated && !all {
			continue
		}
		if err := storeAnew(ctx, reader, definition, stored); err != nil {
			return fmt.Errorf("migrate the objects of kind %s: %w", definition.Spec.Names.Kind, err)
		}
	}
	return nil
}

func storageVersion(definition *apiextensionsv1.CustomResourceDefinition) string {
	for _, version := range definition.Spec.Versions {
		if version.Storage {
			return version.Name
		}
	}
	return ""
}

func storeAnew(ctx context.Context, kube client.Client, definition *apiextensionsv1.CustomResourceDefinition, version string) error {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: definition.Spec.Group, Version: version, Kind: definition.Spec.Names.ListKind})
	for next := ""; ; {
		if err := kube.List(ctx, list, client.Limit(migrationPage), client.Continue(next)); err != nil {
			return err
		}
		for i := range list.Items {
			// A change of nothing is written where it is stored differently.
			err := kube.Patch(ctx, &list.Items[i], client.RawPatch("application/merge-patch+json", []byte("{}")), client.FieldOwner(fluxoperator.FieldManager))
			if client.IgnoreNotFound(err) != nil {
				return err
			}
		}
		if next = list.GetContinue(); next == "" {
			break
		}
	}
	patch := client.MergeFrom(definition.DeepCopy())
	definition.Status.StoredVersions = []string{version}
	return kube.Status().Patch(ctx, definition, patch, client.FieldOwner(fluxoperator.FieldManager))
}
