package source_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/engine/dns/annotation"
	"hearth/internal/engine/dns/settings"
	"hearth/internal/engine/dns/source"
)

const alpha = annotation.AlphaPrefix

func gateway(name string, annotations map[string]string) gatewayv1.Gateway {
	all := gatewayv1.NamespacesFromAll
	return gatewayv1.Gateway{
		ObjectMeta: metav1.ObjectMeta{Namespace: "network", Name: name, Labels: map[string]string{"exposure": name}, Annotations: annotations},
		Spec: gatewayv1.GatewaySpec{Listeners: []gatewayv1.Listener{
			{Name: "http", Protocol: gatewayv1.HTTPProtocolType, Port: 80},
			{
				Name: "https", Protocol: gatewayv1.HTTPSProtocolType, Port: 443, Hostname: ptr.To(gatewayv1.Hostname("*.example.org")),
				AllowedRoutes: &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: &all}},
			},
			{Name: "tls", Protocol: gatewayv1.TLSProtocolType, Port: 8443, AllowedRoutes: &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: &all}}},
		}},
		Status: gatewayv1.GatewayStatus{Addresses: []gatewayv1.GatewayStatusAddress{{Value: "192.0.2.1"}, {Value: "2001:db8::1"}}},
	}
}

func accepted(refs ...gatewayv1.ParentReference) (gatewayv1.CommonRouteSpec, gatewayv1.RouteStatus) {
	var status gatewayv1.RouteStatus
	for _, ref := range refs {
		status.Parents = append(status.Parents, gatewayv1.RouteParentStatus{ParentRef: ref, Conditions: []metav1.Condition{{Type: "Accepted", Status: metav1.ConditionTrue}}})
	}
	return gatewayv1.CommonRouteSpec{ParentRefs: refs}, status
}

func to(name string) gatewayv1.ParentReference {
	return gatewayv1.ParentReference{Name: gatewayv1.ObjectName(name), Namespace: ptr.To(gatewayv1.Namespace("network"))}
}

func route(name string, annotations map[string]string, hosts []gatewayv1.Hostname, refs ...gatewayv1.ParentReference) gatewayv1.HTTPRoute {
	spec, status := accepted(refs...)
	return gatewayv1.HTTPRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: name, Annotations: annotations},
		Spec:       gatewayv1.HTTPRouteSpec{CommonRouteSpec: spec, Hostnames: hosts},
		Status:     gatewayv1.HTTPRouteStatus{RouteStatus: status},
	}
}

// found returns the records that the arguments find, in short.
func found(t *testing.T, w *source.World, args ...string) []string {
	t.Helper()
	s, err := settings.Parse(args, nil)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range source.Records(w, s) {
		list = append(list, r.String())
	}
	return list
}

type hosts = []gatewayv1.Hostname

// The rules are those of External-DNS' docs/sources/gateway-api.md.
func TestRoutes(t *testing.T) {
	section := to("inside")
	section.SectionName = ptr.To(gatewayv1.SectionName("http"))
	pending := route("pending", nil, hosts{"p.example.org"}, to("inside"))
	pending.Status.Parents[0].Conditions[0].Status = metav1.ConditionFalse
	stale := route("stale", nil, hosts{"s.example.org"}, to("inside"))
	stale.Spec.ParentRefs = []gatewayv1.ParentReference{to("outside")}
	tests := []struct {
		name  string
		route gatewayv1.HTTPRoute
		args  []string
		want  []string
	}{
		{"its Gateway's addresses", route("a", nil, hosts{"a.example.org"}, to("inside")), nil, []string{"a.example.org A 192.0.2.1", "a.example.org AAAA 2001:db8::1"}},
		{"its Gateway's target", route("a", nil, hosts{"a.example.org"}, to("outside")), nil, []string{"a.example.org CNAME external.example.org"}},
		{"a target of its own is not read", route("a", map[string]string{alpha + "target": "x.example.org"}, hosts{"a.example.org"}, to("outside")), nil, []string{"a.example.org CNAME external.example.org"}},
		{"another hostname by annotation", route("a", map[string]string{alpha + "hostname": "b.example.org"}, hosts{"a.example.org"}, to("outside")), nil, []string{"a.example.org CNAME external.example.org", "b.example.org CNAME external.example.org"}},
		{"only by annotation", route("a", map[string]string{alpha + "hostname": "b.example.org", alpha + "gateway-hostname-source": "annotation-only"}, hosts{"a.example.org"}, to("outside")), nil, []string{"b.example.org CNAME external.example.org"}},
		{"no hostname takes the listener's", route("a", nil, nil, to("outside")), nil, []string{"*.example.org CNAME external.example.org"}},
		{"no listener has the hostname", route("a", nil, hosts{"a.example.com"}, to("outside")), nil, nil},
		{"another controller's", route("a", map[string]string{alpha + "controller": "none"}, hosts{"a.example.org"}, to("outside")), nil, nil},
		{"a listener that does not admit it", route("a", nil, hosts{"a.example.org"}, section), nil, nil},
		{"not accepted", pending, nil, nil},
		{"accepted by a Gateway that it no longer names", stale, nil, nil},
		{"no such Gateway", route("a", nil, hosts{"a.example.org"}, to("gone")), nil, nil},
		{"by name", route("a", nil, hosts{"a.example.org"}, to("inside"), to("outside")), []string{"--gateway-name=outside"}, []string{"a.example.org CNAME external.example.org"}},
		{"by label", route("a", nil, hosts{"a.example.org"}, to("inside"), to("outside")), []string{"--gateway-label-filter=exposure=outside"}, []string{"a.example.org CNAME external.example.org"}},
		{"an annotation that is missing", route("a", nil, hosts{"a.example.org"}, to("outside")), []string{"--annotation-filter=public=true"}, nil},
		{"an annotation that is there", route("a", map[string]string{"public": "true"}, hosts{"a.example.org"}, to("outside")), []string{"--annotation-filter=public=true"}, []string{"a.example.org CNAME external.example.org"}},
		{"another domain", route("a", nil, hosts{"a.example.org"}, to("outside")), []string{"--domain-filter=example.com"}, nil},
		{"another namespace", route("a", nil, hosts{"a.example.org"}, to("outside")), []string{"--namespace=home"}, nil},
		{"default targets, forced", route("a", nil, hosts{"a.example.org"}, to("outside")), []string{"--default-targets=192.0.2.9", "--force-default-targets"}, []string{"a.example.org A 192.0.2.9"}},
		{"names that are none", route("a", map[string]string{alpha + "hostname": "a b,10.0.0.1,-.example.org"}, hosts{"ok.example.org"}, to("outside")), nil, []string{"-.example.org CNAME external.example.org", "ok.example.org CNAME external.example.org"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := &source.World{
				HTTPRoutes: []gatewayv1.HTTPRoute{test.route},
				Gateways:   []gatewayv1.Gateway{gateway("inside", nil), gateway("outside", map[string]string{alpha + "target": "external.example.org"})},
			}
			if diff := cmp.Diff(test.want, found(t, w, append(test.args, "--source=gateway-httproute")...)); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOtherRoutes(t *testing.T) {
	spec, status := accepted(to("inside"))
	meta := metav1.ObjectMeta{Namespace: "media", Name: "x"}
	w := &source.World{
		Gateways:   []gatewayv1.Gateway{gateway("inside", nil)},
		GRPCRoutes: []gatewayv1.GRPCRoute{{ObjectMeta: meta, Spec: gatewayv1.GRPCRouteSpec{CommonRouteSpec: spec, Hostnames: hosts{"grpc.example.org"}}, Status: gatewayv1.GRPCRouteStatus{RouteStatus: status}}},
		TLSRoutes:  []gatewayv1.TLSRoute{{ObjectMeta: meta, Spec: gatewayv1.TLSRouteSpec{CommonRouteSpec: spec, Hostnames: hosts{"tls.example.net"}}, Status: gatewayv1.TLSRouteStatus{RouteStatus: status}}},
	}
	want := []string{"grpc.example.org A 192.0.2.1", "grpc.example.org AAAA 2001:db8::1", "tls.example.net A 192.0.2.1", "tls.example.net AAAA 2001:db8::1"}
	if diff := cmp.Diff(want, found(t, w, "--source=gateway-grpcroute", "--source=gateway-tlsroute")); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func service(name string, kind corev1.ServiceType, annotations map[string]string) corev1.Service {
	return corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: name, Annotations: annotations},
		Spec:       corev1.ServiceSpec{Type: kind, ClusterIP: "10.96.0.7"},
		Status:     corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "192.0.2.7"}}}},
	}
}

// The rules are those of External-DNS' docs/sources/service.md.
func TestServices(t *testing.T) {
	name := map[string]string{alpha + "hostname": "s.example.org"}
	with := func(more ...string) map[string]string {
		all := maps.Clone(name)
		all[alpha+more[0]] = more[1]
		return all
	}
	port := service("p", corev1.ServiceTypeNodePort, name)
	port.Spec.Ports = []corev1.ServicePort{{NodePort: 30080, Protocol: corev1.ProtocolTCP}}
	headless := service("h", corev1.ServiceTypeClusterIP, name)
	headless.Spec.ClusterIP = corev1.ClusterIPNone
	external := service("e", corev1.ServiceTypeExternalName, name)
	external.Spec.ExternalName = "else.example.net"
	tests := []struct {
		name string
		svc  corev1.Service
		args []string
		want []string
	}{
		{"a load balancer", service("lb", corev1.ServiceTypeLoadBalancer, name), nil, []string{"s.example.org A 192.0.2.7"}},
		{"without a name", service("lb", corev1.ServiceTypeLoadBalancer, nil), nil, nil},
		{"a target of its own", service("lb", corev1.ServiceTypeLoadBalancer, with("target", "192.0.2.8,x.example.net")), nil, []string{"s.example.org A 192.0.2.8", "s.example.org CNAME x.example.net"}},
		{"a name for the inside", service("lb", corev1.ServiceTypeLoadBalancer, map[string]string{alpha + "internal-hostname": "i.example.org"}), nil, []string{"i.example.org A 10.96.0.7"}},
		{"inside the cluster", service("c", corev1.ServiceTypeClusterIP, name), nil, nil},
		{"inside the cluster, published", service("c", corev1.ServiceTypeClusterIP, name), []string{"--publish-internal-services"}, []string{"s.example.org A 10.96.0.7"}},
		{"a port of the nodes", port, nil, []string{"_p._tcp.s.example.org SRV 0 50 30080 s.example.org", "s.example.org A 198.51.100.1"}},
		{"the nodes' inner addresses", func() corev1.Service { s := port; s.Annotations = with("access", "private"); return s }(), []string{"--managed-record-types=A"}, []string{"_p._tcp.s.example.org SRV 0 50 30080 s.example.org", "s.example.org A 10.0.0.1"}},
		{"another type", port, []string{"--service-type-filter=LoadBalancer"}, nil},
		{"headless", headless, nil, []string{"db-0.s.example.org A 10.244.0.5", "s.example.org A 10.244.0.5"}},
		{"another name", external, nil, []string{"s.example.org CNAME else.example.net"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := &source.World{
				Services: []corev1.Service{test.svc},
				Nodes: []corev1.Node{{Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{
					{Type: corev1.NodeInternalIP, Address: "10.0.0.1"}, {Type: corev1.NodeExternalIP, Address: "198.51.100.1"},
				}}}},
				Pods: []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "db-0"}, Spec: corev1.PodSpec{Hostname: "db-0"}}},
				Slices: []discoveryv1.EndpointSlice{{
					ObjectMeta: metav1.ObjectMeta{Namespace: "media", Labels: map[string]string{discoveryv1.LabelServiceName: "h"}},
					Endpoints: []discoveryv1.Endpoint{
						{Addresses: []string{"10.244.0.5"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "db-0"}},
						{Addresses: []string{"10.244.0.6"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "db-0"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(false)}},
					},
				}},
			}
			if diff := cmp.Diff(test.want, found(t, w, append(test.args, "--source=service")...)); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

func TestServicesShareAName(t *testing.T) {
	name := map[string]string{alpha + "hostname": "s.example.org"}
	one, two := service("one", corev1.ServiceTypeLoadBalancer, name), service("two", corev1.ServiceTypeLoadBalancer, name)
	two.Status.LoadBalancer.Ingress[0].IP = "192.0.2.8"
	want := []string{"s.example.org A 192.0.2.7 192.0.2.8"}
	if diff := cmp.Diff(want, found(t, &source.World{Services: []corev1.Service{two, one}}, "--source=service")); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestIngresses(t *testing.T) {
	one := networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "x", Annotations: map[string]string{alpha + "hostname": "c.example.org"}},
		Spec: networkingv1.IngressSpec{
			IngressClassName: ptr.To("nginx"), Rules: []networkingv1.IngressRule{{Host: "a.example.org"}, {}},
			TLS: []networkingv1.IngressTLS{{Hosts: []string{"b.example.org", "a.example.org"}}},
		},
		Status: networkingv1.IngressStatus{LoadBalancer: networkingv1.IngressLoadBalancerStatus{Ingress: []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.5"}}}},
	}
	w := &source.World{Ingresses: []networkingv1.Ingress{one}}
	want := []string{"a.example.org A 192.0.2.5", "b.example.org A 192.0.2.5", "c.example.org A 192.0.2.5"}
	if diff := cmp.Diff(want, found(t, w, "--source=ingress", "--ingress-class=nginx")); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if got := found(t, w, "--source=ingress", "--ingress-class=traefik"); got != nil {
		t.Errorf("another class finds %v", got)
	}
	w.Ingresses[0].Annotations[alpha+"ingress-hostname-source"] = "annotation-only"
	if diff := cmp.Diff([]string{"c.example.org A 192.0.2.5"}, found(t, w, "--source=ingress")); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func endpoint(list ...any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"namespace": "network", "name": "x"}, "spec": map[string]any{"endpoints": list},
	}}
}

// The form is that of the definition of externaldns.k8s.io/v1alpha1.
func TestEndpoints(t *testing.T) {
	of := func(name, kind string, targets ...any) map[string]any {
		return map[string]any{"dnsName": name, "recordType": kind, "targets": targets, "recordTTL": int64(60)}
	}
	w := &source.World{Endpoints: []*unstructured.Unstructured{
		endpoint(of("external.example.org", "CNAME", "id.cfargotunnel.com."), of("a.example.org", "A", "192.0.2.2", "192.0.2.1"), nil, of("bad.example.org", "A", "not-an-address"), of("none.example.org", "A")),
		{Object: map[string]any{"metadata": map[string]any{}, "spec": "nonsense"}},
	}}
	want := []string{"a.example.org A 192.0.2.1 192.0.2.2", "external.example.org CNAME id.cfargotunnel.com"}
	if diff := cmp.Diff(want, found(t, w, "--source=crd")); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	s, err := settings.Parse([]string{"--source=crd"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if one := source.Records(w, s)[0]; one.TTL != 60 || one.Resource != "crd/network/x" {
		t.Errorf("the record is %+v", one)
	}
}

func TestRecordsAreInOrder(t *testing.T) {
	var w source.World
	w.Gateways = []gatewayv1.Gateway{gateway("outside", map[string]string{alpha + "target": "external.example.org"})}
	for _, name := range []string{"c", "a", "b"} {
		w.HTTPRoutes = append(w.HTTPRoutes, route(name, nil, hosts{gatewayv1.Hostname(name + ".example.org")}, to("outside")))
	}
	if got := found(t, &w, "--source=gateway-httproute"); !slices.IsSorted(got) || len(got) != 3 {
		t.Errorf("records are %v", got)
	}
}
