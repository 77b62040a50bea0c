package helmrelease

import (
	"context"
	"fmt"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/ssa/jsondiff"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/engine/helmrelease/helmkube"
	"hearth/internal/render"
	"hearth/internal/render/helm"
)

// step is one reconciliation of one HelmRelease, and what it found out so far.
type step struct {
	*reconciler
	hr     *helmv2.HelmRelease
	before *helmv2.HelmRelease

	// chart is the one to release, version what the release calls it, and
	// ociDigest the digest of the OCI artifact it came from, if any.
	chart     *helm.Chart
	version   string
	ociDigest string

	values       helm.Values
	configDigest string
	// applied are the values as an event may show them.
	applied map[string]any
	// stored are the release's records when its state was last looked at.
	stored []*releasev1.Release
	// drift is what the last look at the release found.
	drift      jsondiff.DiffSet
	connection *helmkube.Connection
}

// metadata returns the chart's metadata as the release shows it.
func (s *step) metadata() *chart.Metadata { return s.chart.Copy(s.version).Metadata }

// chartLabel names chart and version as Flux does in its messages.
func (s *step) chartLabel() string { return fmt.Sprintf("%s@%s", s.chart.Name(), s.version) }

// save writes the status if it changed. The reconciler alone owns it, so what
// others changed in the meantime does not matter.
func (s *step) save(ctx context.Context) error {
	if equality.Semantic.DeepEqual(s.before.Status, s.hr.Status) {
		return nil
	}
	patched := s.hr.DeepCopy()
	err := s.client.Status().Patch(ctx, patched, client.MergeFrom(s.before), client.FieldOwner(helmkube.FieldManager))
	if err != nil {
		return fmt.Errorf("saving the status of HelmRelease %s/%s: %w", s.hr.Namespace, s.hr.Name, err)
	}
	s.saved.Note(patched)
	s.before.Status = *s.hr.Status.DeepCopy()
	return nil
}

// patchFinalizers writes the finalizers, and fails where somebody else changed
// the object's metadata meanwhile.
func (s *step) patchFinalizers(ctx context.Context) error {
	patched := s.hr.DeepCopy()
	patch := client.MergeFromWithOptions(s.before, client.MergeFromWithOptimisticLock{})
	if err := s.client.Patch(ctx, patched, patch, client.FieldOwner(helmkube.FieldManager)); err != nil {
		return fmt.Errorf("saving the finalizers of HelmRelease %s/%s: %w", s.hr.Namespace, s.hr.Name, err)
	}
	s.saved.Note(patched)
	s.before.Finalizers, s.before.ResourceVersion = patched.Finalizers, patched.ResourceVersion
	s.hr.ResourceVersion = patched.ResourceVersion
	return nil
}

// event records what happened, with the chart it happened with, and of an
// install or upgrade the values that it applied.
func (s *step) event(kind, reason, message string) {
	annotations := map[string]string{}
	if s.chart != nil {
		annotations[helmv2.GroupVersion.Group+"/revision"] = s.version
		annotations[helmv2.GroupVersion.Group+"/token"] = s.configDigest
		if v := s.metadata().AppVersion; v != "" {
			annotations[helmv2.GroupVersion.Group+"/app-version"] = v
		}
		if s.ociDigest != "" {
			annotations[helmv2.GroupVersion.Group+"/oci-digest"] = s.ociDigest
		}
	}
	if reason == helmv2.InstallSucceededReason || reason == helmv2.UpgradeSucceededReason {
		if values := s.shownValues(); values != "" {
			annotations[valuesAnnotation] = values
		}
	}
	s.o.Recorder.AnnotatedEventf(s.hr, annotations, kind, reason, "%s", message)
}

// place returns where the HelmRelease stands in Git, or one of its fields.
func (s *step) place(field ...string) domain.Place {
	key := render.Key{Group: helmv2.GroupVersion.Group, Kind: helmv2.HelmReleaseKind, Namespace: s.hr.Namespace, Name: s.hr.Name}
	return s.o.Index.Place(key, field...)
}

// reader reads the ConfigMaps and Secrets that values come from.
func (s *step) reader(ctx context.Context, kind, name string) (map[string][]byte, error) {
	key := client.ObjectKey{Namespace: s.hr.Namespace, Name: name}
	if kind == "Secret" {
		var secret corev1.Secret
		if err := s.client.Get(ctx, key, &secret); err != nil {
			return nil, err
		}
		return secret.Data, nil
	}
	var config corev1.ConfigMap
	if err := s.client.Get(ctx, key, &config); err != nil {
		return nil, err
	}
	data := make(map[string][]byte, len(config.Data)+len(config.BinaryData))
	for name, value := range config.Data {
		data[name] = []byte(value)
	}
	for name, value := range config.BinaryData {
		data[name] = value
	}
	return data, nil
}
