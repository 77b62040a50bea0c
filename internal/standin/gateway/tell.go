package gateway

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/standin/gateway/proxy"
)

// tell notes at each gateway where its ports answer on this machine, and tells
// who wants to know.
func (e *edge) tell(ctx context.Context, gateways []*gatewayv1.Gateway) error {
	mappings := e.proxies.Mappings()
	places := map[string][]string{}
	for _, m := range mappings {
		places[m.Gateway] = append(places[m.Gateway], fmt.Sprintf("%d=%s", m.Port, m.Loopback))
	}
	for _, g := range gateways {
		want := strings.Join(places[client.ObjectKeyFromObject(g).String()], ",")
		if g.Annotations[Loopback] == want || g.DeletionTimestamp != nil {
			continue
		}
		if err := e.annotate(ctx, g, want); err != nil {
			return err
		}
	}
	if said := fmt.Sprint(mappings); said != e.told && e.Listening != nil {
		e.told = said
		e.Listening(mappings)
	}
	return nil
}

func (e *edge) annotate(ctx context.Context, gateway *gatewayv1.Gateway, places string) error {
	after := gateway.DeepCopy() // the cache's own stays as it is
	if places == "" {
		delete(after.Annotations, Loopback)
	} else {
		if after.Annotations == nil {
			after.Annotations = map[string]string{}
		}
		after.Annotations[Loopback] = places
	}
	err := e.client.Patch(ctx, after, client.MergeFrom(gateway))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("note where the gateway %s answers: %w", client.ObjectKeyFromObject(gateway), err)
	}
	return nil
}

var _ proxy.Backend = (*backend)(nil)
