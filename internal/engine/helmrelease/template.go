package helmrelease

import (
	"context"
	"fmt"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/helmrelease/helmkube"
)

// reconcileChartTemplate makes the HelmChart that spec.chart describes, and
// removes one that is no longer wanted.
func (s *step) reconcileChartTemplate(ctx context.Context) error {
	wanted := ""
	if s.hr.Spec.Chart != nil {
		wanted = namespacedName(s.hr.Spec.Chart.GetNamespace(s.hr.Namespace), s.hr.GetHelmChartName())
	}
	if made := s.hr.Status.HelmChart; made != "" && made != wanted {
		if err := s.deleteChartTemplate(ctx); err != nil {
			return err
		}
	}
	if wanted == "" {
		return nil
	}
	s.hr.Status.HelmChart = wanted
	chart := s.chartTemplate()
	var existing sourcev1.HelmChart
	err := s.client.Get(ctx, client.ObjectKeyFromObject(chart), &existing)
	if apierrors.IsNotFound(err) {
		err = s.client.Create(ctx, chart, client.FieldOwner(helmkube.FieldManager))
		if apierrors.IsAlreadyExists(err) {
			// The cache lags behind: its change will wake this HelmRelease.
			err = nil
		}
		return wrapped(err, "could not make HelmChart %s", wanted)
	}
	if err != nil {
		return wrapped(err, "could not get HelmChart %s", wanted)
	}
	changed := existing.DeepCopy()
	changed.Spec = chart.Spec
	for key, value := range chart.Labels {
		metav1.SetMetaDataLabel(&changed.ObjectMeta, key, value)
	}
	for key, value := range chart.Annotations {
		metav1.SetMetaDataAnnotation(&changed.ObjectMeta, key, value)
	}
	if equality.Semantic.DeepEqual(existing.Spec, changed.Spec) && equality.Semantic.DeepEqual(existing.ObjectMeta, changed.ObjectMeta) {
		return nil
	}
	err = s.client.Patch(ctx, changed, client.MergeFrom(&existing), client.FieldOwner(helmkube.FieldManager))
	return wrapped(err, "could not change HelmChart %s", wanted)
}

func (s *step) chartTemplate() *sourcev1.HelmChart {
	t := s.hr.Spec.Chart
	chart := &sourcev1.HelmChart{
		ObjectMeta: metav1.ObjectMeta{
			Name:      s.hr.GetHelmChartName(),
			Namespace: t.GetNamespace(s.hr.Namespace),
			Labels:    map[string]string{},
		},
		Spec: sourcev1.HelmChartSpec{
			Chart:                    t.Spec.Chart,
			Version:                  t.Spec.Version,
			SourceRef:                sourcev1.LocalHelmChartSourceReference{Name: t.Spec.SourceRef.Name, Kind: t.Spec.SourceRef.Kind},
			Interval:                 t.GetInterval(s.hr.Spec.Interval),
			ReconcileStrategy:        t.Spec.ReconcileStrategy,
			ValuesFiles:              t.Spec.ValuesFiles,
			IgnoreMissingValuesFiles: t.Spec.IgnoreMissingValuesFiles,
		},
	}
	if chart.Spec.Version == "" {
		chart.Spec.Version = "*"
	}
	if chart.Spec.ReconcileStrategy == "" {
		chart.Spec.ReconcileStrategy = sourcev1.ReconcileStrategyChartVersion
	}
	if v := t.Spec.Verify; v != nil {
		chart.Spec.Verify = &sourcev1.HelmChartVerification{Provider: v.Provider, SecretRef: v.SecretRef}
	}
	if t.ObjectMeta != nil {
		for key, value := range t.ObjectMeta.Labels {
			chart.Labels[key] = value
		}
		chart.Annotations = t.ObjectMeta.Annotations
	}
	chart.Labels[helmv2.GroupVersion.Group+"/name"] = s.hr.Name
	chart.Labels[helmv2.GroupVersion.Group+"/namespace"] = s.hr.Namespace
	return chart
}

func (s *step) deleteChartTemplate(ctx context.Context) error {
	namespace, name := s.hr.Status.GetHelmChart()
	if name == "" {
		return nil
	}
	chart := &sourcev1.HelmChart{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := client.IgnoreNotFound(s.client.Delete(ctx, chart)); err != nil {
		return wrapped(err, "could not delete HelmChart %s", s.hr.Status.HelmChart)
	}
	s.hr.Status.HelmChart = ""
	return nil
}

func wrapped(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
