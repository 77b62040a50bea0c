// Package routing knows the rules of the Gateway API: which routes attach to
// which listeners, which references are granted and resolved, which host names
// a listener and a route have in common, and which rule of which route a
// request follows.
//
// It promises the answers of the specification
// (https://gateway-api.sigs.k8s.io/reference/spec/), from objects alone, and
// writes nothing. What plays a gateway, and what explains one, share it.
package routing

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// LoopbackAnnotation is set on the gateways of a rehearsal, and tells where
// their ports answer on this machine: PORT=ADDRESS:PORT, separated by commas.
const LoopbackAnnotation = "hearth.dev/loopback"

// Verdict is what a condition says: whether it holds, and why.
type Verdict struct {
	OK      bool
	Reason  string
	Message string
}

// Judge answers from the objects that a reader has. It may be used
// concurrently where its reader may.
type Judge struct {
	client.Reader

	// Served reports whether the cluster serves a kind, so that a class may have
	// backends of it; nil means that it serves all.
	Served func(schema.GroupKind) bool
}

// Class returns a gateway's class; nil where there is none.
func (j Judge) Class(ctx context.Context, gateway *gatewayv1.Gateway) (*gatewayv1.GatewayClass, error) {
	class := &gatewayv1.GatewayClass{}
	if err := j.Get(ctx, client.ObjectKey{Name: string(gateway.Spec.GatewayClassName)}, class); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return class, nil
}

// Parent returns the gateway that a route's parent reference names, and the
// gateway's class; both are nil where either is not there, or the parent is of
// another kind.
func (j Judge) Parent(ctx context.Context, namespace string, ref gatewayv1.ParentReference) (*gatewayv1.Gateway, *gatewayv1.GatewayClass, error) {
	key, ok := GatewayOf(namespace, ref)
	if !ok {
		return nil, nil, nil
	}
	gateway := &gatewayv1.Gateway{}
	if err := j.Get(ctx, key, gateway); err != nil {
		return nil, nil, client.IgnoreNotFound(err)
	}
	class, err := j.Class(ctx, gateway)
	if class == nil || err != nil {
		return nil, nil, err
	}
	return gateway, class, nil
}

// served reports whether there may be backends of a kind.
func (j Judge) served(kind schema.GroupKind) bool { return j.Served == nil || j.Served(kind) }
