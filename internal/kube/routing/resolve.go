package routing

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// ReasonPortNotFound says that a backend's Service has no such port. The
// specification leaves that reason to the implementations.
const ReasonPortNotFound = "PortNotFound"

// Resolve judges a route's backends by the Services and grants there are: the
// first that cannot be had decides.
func (j Judge) Resolve(ctx context.Context, r Route) (Verdict, error) {
	for _, ref := range r.Backends {
		verdict, err := j.Backend(ctx, r.Kind, r.Object.GetNamespace(), ref)
		if err != nil || !verdict.OK {
			return verdict, err
		}
	}
	return Verdict{true, string(gatewayv1.RouteReasonResolvedRefs), "Resolved all the Object references for the Route"}, nil
}

// Backend judges one backend of a route of a kind and namespace.
func (j Judge) Backend(ctx context.Context, routeKind, namespace string, ref gatewayv1.BackendObjectReference) (Verdict, error) {
	resolved := Verdict{true, string(gatewayv1.RouteReasonResolvedRefs), "Backend ref is resolved"}
	key, isService := ServiceOf(namespace, ref)
	if !isService {
		kind := schema.GroupKind{Group: groupOf(ref.Group), Kind: cmp.Or(kindOf(ref.Kind), "Service")}
		if kind.Group == "" || !j.served(kind) {
			return Verdict{false, string(gatewayv1.RouteReasonInvalidKind), fmt.Sprintf("Backend %s is of the unknown kind %s.", ref.Name, kind)}, nil
		}
		return resolved, nil // a class' own kinds of backends are its own affair
	}
	if key.Namespace != namespace {
		ok, err := j.Granted(ctx, Reference{gatewayv1.GroupName, routeKind, namespace, "", "Service", key})
		if err != nil {
			return Verdict{}, err
		}
		if !ok {
			return Verdict{false, string(gatewayv1.RouteReasonRefNotPermitted), fmt.Sprintf("Backend ref to Service %s not permitted by any ReferenceGrant.", key)}, nil
		}
	}
	service := &corev1.Service{}
	err := j.Get(ctx, key, service)
	if apierrors.IsNotFound(err) {
		return Verdict{false, string(gatewayv1.RouteReasonBackendNotFound), fmt.Sprintf("Service %s not found", key)}, nil
	}
	if err != nil {
		return Verdict{}, err
	}
	if ref.Port != nil && PortOf(service, *ref.Port) == nil {
		return Verdict{false, ReasonPortNotFound, fmt.Sprintf("Service %s has no port %d", key, *ref.Port)}, nil
	}
	return resolved, nil
}

func groupOf(group *gatewayv1.Group) string {
	if group == nil {
		return ""
	}
	return string(*group)
}

func kindOf(kind *gatewayv1.Kind) string {
	if kind == nil {
		return ""
	}
	return string(*kind)
}

// PortOf returns a Service's port of a number, or nil.
func PortOf(service *corev1.Service, port gatewayv1.PortNumber) *corev1.ServicePort {
	i := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == port })
	if i < 0 {
		return nil
	}
	return &service.Spec.Ports[i]
}

// Reference is one from objects of a kind and namespace to an object of another.
type Reference struct {
	FromGroup, FromKind, FromNamespace string
	ToGroup, ToKind                    string
	To                                 client.ObjectKey
}

// Granted reports whether a ReferenceGrant allows a reference.
func (j Judge) Granted(ctx context.Context, q Reference) (bool, error) {
	grants := &gatewayv1.ReferenceGrantList{}
	if err := j.List(ctx, grants, client.InNamespace(q.To.Namespace)); err != nil {
		return false, err
	}
	return slices.ContainsFunc(grants.Items, func(grant gatewayv1.ReferenceGrant) bool {
		from := slices.ContainsFunc(grant.Spec.From, func(f gatewayv1.ReferenceGrantFrom) bool {
			return string(f.Group) == q.FromGroup && string(f.Kind) == q.FromKind && string(f.Namespace) == q.FromNamespace
		})
		to := slices.ContainsFunc(grant.Spec.To, func(t gatewayv1.ReferenceGrantTo) bool {
			return string(t.Group) == q.ToGroup && string(t.Kind) == q.ToKind && (t.Name == nil || *t.Name == "" || string(*t.Name) == q.To.Name)
		})
		return from && to
	}), nil
}
