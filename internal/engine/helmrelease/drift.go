package helmrelease

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/fluxcd/pkg/ssa/jsondiff"
	"github.com/fluxcd/pkg/ssa/normalize"
	changes "github.com/wI2L/jsondiff"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/helmrelease/helmkube"
)

// What Helm notes on each object of a release.
const (
	managedByLabel             = "app.kubernetes.io/managed-by"
	releaseNameAnnotation      = "meta.helm.sh/release-name"
	releaseNamespaceAnnotation = "meta.helm.sh/release-namespace"
)

// detectDrift compares the objects of a deployed release with the cluster, each
// by a dry run, without those and the fields that the spec leaves to others.
func (s *step) detectDrift(ctx context.Context, rel *releasev1.Release) (jsondiff.DiffSet, error) {
	objs, err := s.objectsOf(rel)
	if err != nil {
		return nil, err
	}
	if err := normalize.UnstructuredList(objs); err != nil {
		return nil, err
	}
	for _, obj := range objs {
		markAsHelm(obj, rel)
	}
	options := []jsondiff.ListOption{
		jsondiff.FieldOwner(helmkube.FieldManager),
		jsondiff.ExclusionSelector{helmv2.DriftDetectionMetadataKey: helmv2.DriftDetectionDisabledValue},
		jsondiff.Graceful(true),
	}
	var rules jsondiff.IgnoreRules
	for _, ignore := range s.hr.GetDriftDetection().Ignore {
		rule := jsondiff.IgnoreRule{Paths: ignore.Paths}
		if t := ignore.Target; t != nil {
			rule.Selector = &jsondiff.Selector{
				Group: t.Group, Version: t.Version, Kind: t.Kind, Name: t.Name, Namespace: t.Namespace,
				AnnotationSelector: t.AnnotationSelector, LabelSelector: t.LabelSelector,
			}
		}
		rules = append(rules, rule)
	}
	if len(rules) > 0 {
		options = append(options, rules)
	}
	set, err := jsondiff.UnstructuredList(ctx, s.connection.Objects(), objs, options...)
	if err != nil && !set.HasChanges() {
		return nil, fmt.Errorf("unable to determine cluster state: %w", err)
	}
	return set, nil
}

// markAsHelm gives an object what Helm adds to it.
func markAsHelm(obj *unstructured.Unstructured, rel *releasev1.Release) {
	labels, annotations := obj.GetLabels(), obj.GetAnnotations()
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	labels[managedByLabel] = "Helm"
	annotations[releaseNameAnnotation], annotations[releaseNamespaceAnnotation] = rel.Name, rel.Namespace
	obj.SetLabels(labels)
	obj.SetAnnotations(annotations)
}

// tellDrift names the objects and fields that are not as released.
func (s *step) tellDrift() {
	message := fmt.Sprintf("Cluster state of release %s has drifted from the desired state:\n%s",
		s.hr.Status.History.Latest().FullReleaseName(), summaryOf(s.drift))
	s.event(corev1.EventTypeWarning, helmv2.DriftDetectedReason, message)
	conditions.MarkTrue(s.hr, helmv2.DriftedCondition, helmv2.DriftDetectedReason, "%s", message)
}

// correctDrift takes back what was changed, and nothing else: fields that
// others have added stay.
func (s *step) correctDrift(ctx context.Context) error {
	conditions.MarkUnknown(s.hr, meta.ReadyCondition, meta.ProgressingReason, "correcting cluster drift")
	ctx, cancel := context.WithTimeout(ctx, s.timeout(s.hr.GetTimeout().Duration))
	defer cancel()
	var done []string
	var errs []error
	for _, d := range s.drift {
		action, err := s.correct(ctx, d)
		if err != nil {
			errs = append(errs, err)
		} else if action != "" {
			done = append(done, resourceName(d.DesiredObject)+" "+action)
		}
	}
	slices.Sort(done)
	name := s.hr.Status.History.Latest().FullReleaseName()
	if err := errors.Join(errs...); err != nil {
		message := fmt.Sprintf("Failed to correct cluster state of release %s:\n%s", name, s.located(err))
		if len(done) > 0 {
			message = fmt.Sprintf("Failed to partially correct cluster state of release %s:\n%s\n\nSuccessful corrections:\n%s",
				name, s.located(err), strings.Join(done, "\n"))
		}
		s.event(corev1.EventTypeWarning, "DriftCorrectionFailed", message)
		return nil
	}
	if len(done) > 0 {
		s.event(corev1.EventTypeNormal, "DriftCorrected",
			fmt.Sprintf("Cluster state of release %s has been corrected:\n%s", name, strings.Join(done, "\n")))
	}
	return nil
}

// correct makes one object as released, and says what it did.
func (s *step) correct(ctx context.Context, d *jsondiff.Diff) (action string, err error) {
	kube := s.connection.Objects()
	obj, ok := d.DesiredObject.DeepCopyObject().(client.Object)
	if !ok {
		return "", fmt.Errorf("%s: unexpected type %T", resourceName(d.DesiredObject), d.DesiredObject)
	}
	switch d.Type {
	case jsondiff.DiffTypeCreate:
		if err := kube.Create(ctx, obj, client.FieldOwner(helmkube.FieldManager)); err != nil {
			return "", fmt.Errorf("%s creation failure: %w", resourceName(obj), withoutValues(obj, err))
		}
		return "created", nil
	case jsondiff.DiffTypeUpdate:
		patch, err := json.Marshal(d.Patch)
		if err != nil {
			return "", fmt.Errorf("%s patch failure: %w", resourceName(obj), err)
		}
		if err := kube.Patch(ctx, obj, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(helmkube.FieldManager)); err != nil {
			return "", fmt.Errorf("%s patch failure: %w", resourceName(obj), withoutValues(obj, err))
		}
		return "configured", nil
	}
	return "", nil
}

// withoutValues leaves out what the server may cite of a Secret.
func withoutValues(obj client.Object, err error) error {
	if obj.GetObjectKind().GroupVersionKind().Kind == "Secret" && apierrors.IsInvalid(err) {
		return errors.New("the server takes it for invalid")
	}
	return err
}

// Drift is told up to this many objects, and fields of each.
const (
	toldObjects = 20
	toldFields  = 10
)

// summaryOf tells drift an object a line, with the fields but not their values.
func summaryOf(set jsondiff.DiffSet) string {
	var lines []string
	for _, d := range set {
		switch d.Type {
		case jsondiff.DiffTypeCreate:
			lines = append(lines, resourceName(d.DesiredObject)+" removed")
		case jsondiff.DiffTypeExclude:
			lines = append(lines, resourceName(d.DesiredObject)+" excluded")
		case jsondiff.DiffTypeUpdate:
			count := map[string]int{}
			var fields []string
			for _, p := range d.Patch {
				count[p.Type]++
				fields = append(fields, p.Path)
			}
			lines = append(lines, fmt.Sprintf("%s changed (%d additions, %d changes, %d removals): %s", resourceName(d.DesiredObject),
				count[changes.OperationAdd], count[changes.OperationReplace], count[changes.OperationRemove], strings.Join(first(fields, toldFields), ", ")))
		}
	}
	return strings.Join(first(lines, toldObjects), "\n")
}

// first returns so many of a list, and how many more there are.
func first(list []string, count int) []string {
	if len(list) <= count {
		return list
	}
	return append(slices.Clone(list[:count]), fmt.Sprintf("and %d more", len(list)-count))
}

func resourceName(obj client.Object) string {
	parts := []string{obj.GetObjectKind().GroupVersionKind().Kind, obj.GetNamespace(), obj.GetName()}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "/")
}
