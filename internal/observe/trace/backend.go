package trace

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
	"hearth/internal/observe"
)

// deliver follows the rule's backends, the heaviest first, to a pod. arrived is
// false where the trace ends.
func (w *walk) deliver(ctx context.Context, rule *routing.Rule) (arrived bool, err error) {
	backends := slices.Clone(rule.Backends)
	slices.SortStableFunc(backends, func(a, b gatewayv1.HTTPBackendRef) int {
		return int(ptr.Deref(b.Weight, 1)) - int(ptr.Deref(a.Weight, 1))
	})
	b := backends[0]
	namespace := rule.Route.GetNamespace()
	key, isService := routing.ServiceOf(namespace, b.BackendObjectReference)
	if !isService {
		w.goesOn(StepService, fmt.Sprintf("%s %s", ptr.Deref(b.Kind, "Service"), b.Name), "is a backend of the gateway class' own, which cannot be followed")
		return true, nil
	}
	subject := "Service " + key.String()
	verdict, err := w.judge.Backend(ctx, rule.Kind, namespace, b.BackendObjectReference)
	switch {
	case err != nil:
		return false, err
	case !verdict.OK:
		w.ends(StepService, subject, "%s: %s: the gateway answers 500", verdict.Reason, verdict.Message)
		return false, nil
	case b.Port == nil:
		w.ends(StepService, subject, "the rule names no port of it: the gateway answers 500")
		return false, nil
	case ptr.Deref(b.Weight, 1) == 0:
		w.ends(StepService, subject, "all backends of the rule have the weight 0: the gateway answers 500")
		return false, nil
	}
	service := &corev1.Service{}
	if err := w.judge.Get(ctx, key, service); err != nil {
		return false, fmt.Errorf("read the Service %s: %w", key, err)
	}
	share := ""
	if len(backends) > 1 {
		share = fmt.Sprintf(", one of %d backends", len(backends))
	}
	port := routing.PortOf(service, *b.Port)
	w.goesOn(StepService, subject, "port %d leads to port %s of the pods%s", port.Port, port.TargetPort.String(), share)
	return w.reach(ctx, service, port)
}

// reach finds an endpoint that is ready, and the pod behind it.
func (w *walk) reach(ctx context.Context, service *corev1.Service, port *corev1.ServicePort) (bool, error) {
	list := &discoveryv1.EndpointSliceList{}
	err := w.judge.List(ctx, list, client.InNamespace(service.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: service.Name})
	if err != nil {
		return false, fmt.Errorf("list the endpoints of the Service %s: %w", name(service), err)
	}
	var ready, others []discoveryv1.Endpoint
	served := false
	for _, slice := range list.Items {
		for _, e := range slice.Endpoints {
			if !slices.ContainsFunc(slice.Ports, func(p discoveryv1.EndpointPort) bool { return ptr.Deref(p.Name, "") == port.Name }) {
				continue
			}
			served = true
			if ptr.Deref(e.Conditions.Ready, true) {
				ready = append(ready, e)
			} else {
				others = append(others, e)
			}
		}
	}
	subject := "Service " + name(service)
	if len(ready) == 0 {
		why, err := w.whyNone(ctx, service, port, served, len(others))
		if err != nil {
			return false, err
		}
		w.ends(StepEndpoints, subject, "%s: the gateway answers 503", why)
		return false, nil
	}
	w.goesOn(StepEndpoints, subject, "%d of %d ready", len(ready), len(ready)+len(others))
	return w.end(ctx, service.Namespace, ready[0])
}

// whyNone says why a Service has no endpoint that is ready.
func (w *walk) whyNone(ctx context.Context, service *corev1.Service, port *corev1.ServicePort, served bool, unready int) (string, error) {
	if len(service.Spec.Selector) == 0 {
		return "no endpoint is ready, and it selects no pods: its EndpointSlices are made by hand", nil
	}
	selector := labels.SelectorFromSet(service.Spec.Selector)
	pods := &corev1.PodList{}
	if err := w.judge.List(ctx, pods, client.InNamespace(service.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return "", fmt.Errorf("list the pods of the Service %s: %w", name(service), err)
	}
	if len(pods.Items) == 0 {
		return "no endpoint is ready: no pod has the labels " + selector.String(), nil
	}
	var states []string
	for _, p := range pods.Items {
		states = append(states, p.Name+" "+stateOf(&p))
	}
	slices.Sort(states)
	if len(states) > 5 {
		states = append(states[:5], fmt.Sprintf("and %d more", len(states)-5))
	}
	if !served && unready == 0 && allReady(pods.Items) {
		return fmt.Sprintf("no endpoint serves its port: no container of its pods has a port %s", port.TargetPort.String()), nil
	}
	return fmt.Sprintf("no endpoint is ready: %s", strings.Join(states, ", ")), nil
}

func allReady(pods []corev1.Pod) bool {
	for i := range pods {
		if !isReady(&pods[i]) {
			return false
		}
	}
	return true
}

func isReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// stateOf returns a pod's state in the domain's language, with its reason.
func stateOf(p *corev1.Pod) string {
	s := observe.PodState(p, observe.PodEvidence{})
	text := "is " + string(s.State)
	if s.Message != "" {
		text += " (" + s.Message + ")"
	}
	if s.Ready && !isReady(p) {
		text += " but not ready"
	}
	return text
}

// end looks at the pod behind an endpoint.
func (w *walk) end(ctx context.Context, namespace string, e discoveryv1.Endpoint) (bool, error) {
	if e.TargetRef == nil || e.TargetRef.Kind != "Pod" {
		w.goesOn(StepPod, strings.Join(e.Addresses, ", "), "is no pod: something outside the cluster answers")
		return true, nil
	}
	pod := &corev1.Pod{}
	key := client.ObjectKey{Namespace: namespace, Name: e.TargetRef.Name}
	if err := w.judge.Get(ctx, key, pod); err != nil {
		if client.IgnoreNotFound(err) != nil {
			return false, fmt.Errorf("read the Pod %s: %w", key, err)
		}
		w.ends(StepPod, "Pod "+key.String(), "has just gone")
		return false, nil
	}
	w.goesOn(StepPod, "Pod "+key.String(), "%s, on %s", stateOf(pod), cmpOr(pod.Spec.NodeName, "no node"))
	return true, nil
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
