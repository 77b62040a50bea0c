package notification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// defaultVersions are the API versions of kinds that a Receiver may name
// without one, as with Flux.
var defaultVersions = map[string]string{
	"Bucket":            "source.toolkit.fluxcd.io/v1",
	"GitRepository":     "source.toolkit.fluxcd.io/v1",
	"HelmChart":         "source.toolkit.fluxcd.io/v1",
	"HelmRepository":    "source.toolkit.fluxcd.io/v1",
	"OCIRepository":     "source.toolkit.fluxcd.io/v1",
	"ImageRepository":   "image.toolkit.fluxcd.io/v1",
	"ArtifactGenerator": "source.extensions.fluxcd.io/v1beta1",
}

// request asks the Receiver's resources to reconcile, as far as the filters
// accept them. It goes on after a failure.
func (s *Server) request(ctx context.Context, receiver *notificationv1.Receiver, filters []filter) error {
	var failed []error
	for i := range receiver.Spec.Resources {
		ref := receiver.Spec.Resources[i].CrossNamespaceObjectReference
		if err := s.requestOne(ctx, receiver.Namespace, ref, filters[i]); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// requestOne asks what one entry of the resources names.
func (s *Server) requestOne(ctx context.Context, home string, ref notificationv1.CrossNamespaceObjectReference, f filter) error {
	if ref.Namespace == "" {
		ref.Namespace = home
	}
	if s.o.NoCrossNamespaceRefs && ref.Namespace != home {
		return fmt.Errorf("%s %s/%s: cross-namespace references are not allowed", ref.Kind, ref.Namespace, ref.Name)
	}
	if ref.APIVersion == "" {
		ref.APIVersion = defaultVersions[ref.Kind]
	}
	if ref.APIVersion == "" {
		return fmt.Errorf("apiVersion must be specified for kind %q", ref.Kind)
	}
	list, err := s.resources(ctx, ref)
	if err != nil {
		return err
	}
	var failed []error
	for i := range list {
		obj := &list[i]
		accepted, err := f.accepts(ctx, obj)
		if err == nil && accepted {
			err = s.annotate(ctx, obj)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s %s/%s: %w", ref.Kind, obj.Namespace, obj.Name, err))
		}
	}
	return errors.Join(failed...)
}

// resources reads the metadata of what an entry names: one object, or all with
// its labels.
func (s *Server) resources(ctx context.Context, ref notificationv1.CrossNamespaceObjectReference) ([]metav1.PartialObjectMetadata, error) {
	kind := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind)
	if ref.Name != "*" {
		obj := metav1.PartialObjectMetadata{}
		obj.SetGroupVersionKind(kind)
		if err := s.live.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, &obj); err != nil {
			return nil, fmt.Errorf("unable to read %s %s/%s: %w", ref.Kind, ref.Namespace, ref.Name, err)
		}
		obj.SetGroupVersionKind(kind)
		return []metav1.PartialObjectMetadata{obj}, nil
	}
	if ref.MatchLabels == nil {
		return nil, fmt.Errorf("%s: matchLabels field not set when using wildcard '*' as name", ref.Kind)
	}
	var list metav1.PartialObjectMetadataList
	list.SetGroupVersionKind(kind)
	if err := s.live.List(ctx, &list, client.InNamespace(ref.Namespace), client.MatchingLabels(ref.MatchLabels)); err != nil {
		return nil, fmt.Errorf("failed listing %s in namespace %q by labels: %w", ref.Kind, ref.Namespace, err)
	}
	for i := range list.Items {
		list.Items[i].SetGroupVersionKind(kind)
	}
	return list.Items, nil
}

// annotate asks one object to reconcile at once.
func (s *Server) annotate(ctx context.Context, obj *metav1.PartialObjectMetadata) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		meta.ReconcileRequestAnnotation: time.Now().Format(time.RFC3339Nano),
	}}})
	if err != nil {
		return err
	}
	if err := s.client.Patch(ctx, obj, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(controllerName)); err != nil {
		return fmt.Errorf("unable to annotate: %w", err)
	}
	return nil
}
