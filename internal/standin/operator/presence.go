package operator

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

// AnnotationAssumed marks a definition that nobody brought, and that was made
// up so that the objects of its kind could be applied.
const AnnotationAssumed = "hearth.dev/assumed"

// works reports whether an operator does its work: one of its own pods is
// ready, and nothing else is wrong with it. An operator without pods at all is
// only believed where its kind had to be made up as well: its chart could not
// be had then, and both are assumed.
//
// It also returns the namespace of the operator's pods.
func (s *stage) works(ctx context.Context, k kind) (works bool, namespace string, err error) {
	if s.Faults.On(domain.FaultOperatorDown, namesOf(k.role)...) {
		return false, "", nil
	}
	if k.role.Pods == nil && k.role.Images == nil {
		return true, "", nil
	}
	pods, err := s.podsOf(ctx, k.role)
	if err != nil {
		return false, "", err
	}
	if len(pods) == 0 {
		return k.assumed, "", nil
	}
	return slices.ContainsFunc(pods, podReady), pods[0].Namespace, nil
}

// podsOf returns the operator's own pods, by their labels or else by their
// images. They are the cache's own.
func (s *stage) podsOf(ctx context.Context, role *Role) ([]*corev1.Pod, error) {
	list := &corev1.PodList{}
	if err := s.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	var labelled, running []*corev1.Pod
	for i := range list.Items {
		pod := &list.Items[i]
		switch {
		case role.Pods != nil && role.Pods.Matches(labels.Set(pod.Labels)):
			labelled = append(labelled, pod)
		case Runs(pod, role.Images):
			running = append(running, pod)
		}
	}
	if labelled != nil {
		return labelled, nil
	}
	return running, nil
}

// Runs reports whether a pod runs one of the images, by the end of their names.
func Runs(pod *corev1.Pod, images []string) bool {
	for i := range pod.Spec.Containers {
		repository, _, _ := strings.Cut(pod.Spec.Containers[i].Image, "@")
		if colon := strings.LastIndex(repository, ":"); colon > strings.LastIndex(repository, "/") {
			repository = repository[:colon]
		}
		for _, image := range images {
			if repository == image || strings.HasSuffix(repository, "/"+image) {
				return true
			}
		}
	}
	return false
}

// namesOf returns what an operator-down may call an operator: its name, a
// value that its pods' labels have to have, or an image.
func namesOf(role *Role) []string {
	names := append([]string{role.Operator}, role.Images...)
	if role.Pods == nil {
		return names
	}
	requirements, _ := role.Pods.Requirements()
	for _, r := range requirements {
		if r.Operator() == selection.Equals || r.Operator() == selection.DoubleEquals || r.Operator() == selection.In {
			names = append(names, r.ValuesUnsorted()...)
		}
	}
	return names
}

func podReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}

// Named selects pods by the usual label of their name.
func Named(names ...string) labels.Selector {
	requirement, err := labels.NewRequirement("app.kubernetes.io/name", selection.In, names)
	if err != nil {
		return labels.Nothing()
	}
	return labels.NewSelector().Add(*requirement)
}

// OperatorNamespace returns the namespace of the operator's own pods; "" is
// that there are none.
func (v *Visit) OperatorNamespace() string { return v.home }
