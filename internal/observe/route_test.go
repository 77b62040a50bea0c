package observe

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
)

func TestHTTPRouteState(t *testing.T) {
	const two = `
metadata: {namespace: media, name: immich}
spec:
  parentRefs:
  - {name: envoy-internal, namespace: network, sectionName: https}
  - {name: envoy-external, namespace: network, sectionName: https}
`
	parent := func(name, accepted, resolved string) string {
		return `
  - controllerName: gateway.envoyproxy.io/gatewayclass-controller
    parentRef: {group: gateway.networking.k8s.io, kind: Gateway, name: ` + name + `, namespace: network, sectionName: https}
    conditions:
    - {type: Accepted, status: "` + accepted + `", reason: NoMatchingListenerHostname, message: no listener matches, lastTransitionTime: "2024-01-01T00:00:00Z"}
    - {type: ResolvedRefs, status: "` + resolved + `", reason: BackendNotFound, message: Service media/immich not found, lastTransitionTime: "2024-01-01T00:00:00Z"}`
	}
	for _, test := range []struct {
		name, object string
		want         standing
	}{
		{"no parent", `{}`, standing{State: domain.RouteFailed, Message: "it names no parent"}},
		{"no answer", two, standing{State: domain.RoutePending, Message: "Gateway network/envoy-internal has not answered yet"}},
		{
			"one has answered", two + "status:\n  parents:" + parent("envoy-internal", "True", "True"),
			standing{State: domain.RoutePending, Message: "Gateway network/envoy-external has not answered yet"},
		},
		{
			"both accept", two + "status:\n  parents:" + parent("envoy-internal", "True", "True") + parent("envoy-external", "True", "True"),
			standing{State: domain.RouteReady, Ready: true},
		},
		{
			"one refuses", two + "status:\n  parents:" + parent("envoy-internal", "False", "True"),
			standing{State: domain.RouteFailed, Message: "NoMatchingListenerHostname: no listener matches"},
		},
		{
			"backend missing", two + "status:\n  parents:" + parent("envoy-internal", "True", "True") + parent("envoy-external", "True", "False"),
			standing{State: domain.RouteFailed, Message: "BackendNotFound: Service media/immich not found"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := read[gatewayv1.HTTPRoute](t, test.object)
			if diff := cmp.Diff(test.want, exposed(HTTPRouteState(r))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
