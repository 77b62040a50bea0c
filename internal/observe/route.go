package observe

import (
	"fmt"
	"slices"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
)

// HTTPRouteState derives the state of a route: Ready once every parent has
// accepted it and resolved its references, Failed where one refuses, and
// Pending while one has yet to answer.
func HTTPRouteState(r *gatewayv1.HTTPRoute) Standing {
	if r.DeletionTimestamp != nil {
		return deleting(domain.RouteDeleting, r.DeletionTimestamp, "")
	}
	s := Standing{State: domain.RouteReady, Ready: true, Since: since(r.CreationTimestamp)}
	if len(r.Spec.ParentRefs) == 0 {
		return Standing{State: domain.RouteFailed, Message: "it names no parent", Since: s.Since}
	}
	for _, parent := range r.Spec.ParentRefs {
		s = worseRoute(s, parentState(r, parent))
	}
	return s
}

// worseRoute keeps the first failure, else the first that is pending.
func worseRoute(a, b Standing) Standing {
	rank := []domain.State{domain.RouteFailed, domain.RoutePending, domain.RouteReady}
	if slices.Index(rank, b.State) < slices.Index(rank, a.State) {
		return b
	}
	if a.State == b.State && b.Since.After(a.Since) {
		a.Since = b.Since
	}
	return a
}

func parentState(r *gatewayv1.HTTPRoute, ref gatewayv1.ParentReference) Standing {
	i := slices.IndexFunc(r.Status.Parents, func(p gatewayv1.RouteParentStatus) bool {
		return sameParent(r.Namespace, p.ParentRef, ref)
	})
	if i < 0 {
		return Standing{State: domain.RoutePending, Message: fmt.Sprintf("%s has not answered yet", parentRef(r.Namespace, ref)), Since: since(r.CreationTimestamp)}
	}
	s := Standing{State: domain.RouteReady, Ready: true}
	for _, name := range []gatewayv1.RouteConditionType{gatewayv1.RouteConditionAccepted, gatewayv1.RouteConditionResolvedRefs} {
		c := apimeta.FindStatusCondition(r.Status.Parents[i].Conditions, string(name))
		switch {
		case c == nil || c.Status == metav1.ConditionUnknown:
			return Standing{State: domain.RoutePending, Message: fmt.Sprintf("%s has not said whether it is %s", parentRef(r.Namespace, ref), name), Since: since(r.CreationTimestamp)}
		case c.Status == metav1.ConditionFalse:
			return Standing{State: domain.RouteFailed, Message: oneLine(fmt.Sprintf("%s: %s", c.Reason, c.Message)), Since: since(c.LastTransitionTime)}
		case c.LastTransitionTime.After(s.Since):
			s.Since = since(c.LastTransitionTime)
		}
	}
	return s
}

// sameParent compares two references to a parent, with what may be left out
// filled in.
func sameParent(namespace string, a, b gatewayv1.ParentReference) bool {
	return parentRef(namespace, a) == parentRef(namespace, b) &&
		value(a.SectionName) == value(b.SectionName) && value(a.Port) == value(b.Port)
}

func parentRef(namespace string, p gatewayv1.ParentReference) domain.Ref {
	ref := domain.Ref{Kind: "Gateway", Namespace: namespace, Name: string(p.Name)}
	if p.Kind != nil {
		ref.Kind = string(*p.Kind)
	}
	if p.Namespace != nil {
		ref.Namespace = string(*p.Namespace)
	}
	return ref
}

// value returns what a pointer points to, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
