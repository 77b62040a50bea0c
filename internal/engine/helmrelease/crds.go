package helmrelease

import (
	"bytes"
	"context"
	"fmt"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/kube"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/dynamic"

	"hearth/internal/engine/helmrelease/helmkube"
)

// establishTimeout bounds how long the API server may take for new kinds.
const establishTimeout = time.Minute

// applyCRDs applies what stands in the crds folders of the chart and its
// enabled subcharts, and waits until the cluster serves the new kinds.
func (s *step) applyCRDs(ctx context.Context, a *attempt, policy helmv2.CRDsPolicy) error {
	if policy == helmv2.Skip || len(s.chart.Copy("").CRDObjects()) == 0 {
		return nil
	}
	// Which subcharts are enabled depends on the values.
	pruned := s.chart.Copy(s.version)
	if err := chartutil.ProcessDependencies(pruned, s.values.Map); err != nil {
		return fmt.Errorf("chart dependencies processing failed: %w", err)
	}
	var applied kube.ResourceList
	for _, crd := range pruned.CRDObjects() {
		infos, err := a.client.Build(bytes.NewReader(crd.File.Data), false)
		if err != nil {
			return fmt.Errorf("failed to parse CustomResourceDefinitions from %s: %w", crd.Filename, err)
		}
		for _, info := range infos {
			if err := s.applyCRD(ctx, info, policy); err != nil {
				return fmt.Errorf("failed to apply CustomResourceDefinition %s: %w", info.Name, err)
			}
			applied = append(applied, info)
		}
	}
	waiter, err := a.client.GetWaiter(kube.StatusWatcherStrategy)
	if err != nil {
		return err
	}
	if err := waiter.Wait(applied, establishTimeout); err != nil {
		return fmt.Errorf("CustomResourceDefinitions not established: %w", err)
	}
	for _, info := range applied {
		for _, gvk := range definedBy(info) {
			if err := a.client.AwaitKind(gvk); err != nil {
				return fmt.Errorf("CustomResourceDefinition %s not served: %w", info.Name, err)
			}
		}
	}
	s.kindsChanged()
	a.config.Capabilities, err = s.connection.Capabilities()
	return err
}

// definedBy returns the kinds that a CustomResourceDefinition makes.
func definedBy(info *resource.Info) []schema.GroupVersionKind {
	obj, ok := info.Object.(*unstructured.Unstructured)
	if !ok || info.Mapping.GroupVersionKind.Kind != "CustomResourceDefinition" {
		return nil
	}
	group, _, _ := unstructured.NestedString(obj.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(obj.Object, "spec", "names", "kind")
	versions, _, _ := unstructured.NestedSlice(obj.Object, "spec", "versions")
	var kinds []schema.GroupVersionKind
	for _, version := range versions {
		if v, ok := version.(map[string]any); ok && v["served"] == true {
			name, _ := v["name"].(string)
			kinds = append(kinds, schema.GroupVersionKind{Group: group, Version: name, Kind: kind})
		}
	}
	return kinds
}

func (s *step) applyCRD(ctx context.Context, info *resource.Info, policy helmv2.CRDsPolicy) error {
	obj, ok := info.Object.(*unstructured.Unstructured)
	if !ok {
		return fmt.Errorf("unexpected type %T", info.Object)
	}
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[helmv2.GroupVersion.Group+"/name"] = s.hr.Name
	labels[helmv2.GroupVersion.Group+"/namespace"] = s.hr.Namespace
	obj.SetLabels(labels)
	var target dynamic.ResourceInterface = s.connection.Dynamic.Resource(info.Mapping.Resource)
	if info.Namespace != "" {
		target = s.connection.Dynamic.Resource(info.Mapping.Resource).Namespace(info.Namespace)
	}
	var now *unstructured.Unstructured
	var err error
	if policy == helmv2.CreateReplace {
		now, err = target.Apply(ctx, obj.GetName(), obj, metav1.ApplyOptions{FieldManager: helmkube.FieldManager, Force: true})
	} else {
		now, err = target.Create(ctx, obj, metav1.CreateOptions{FieldManager: helmkube.FieldManager})
		if apierrors.IsAlreadyExists(err) {
			now, err = target.Get(ctx, obj.GetName(), metav1.GetOptions{})
		}
	}
	if err != nil {
		return err
	}
	return info.Refresh(now, true)
}
