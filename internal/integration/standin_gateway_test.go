package integration_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
)

func serviceOf(namespace, name string, kind corev1.ServiceType, annotations map[string]string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Annotations: annotations},
		Spec:       corev1.ServiceSpec{Type: kind, Selector: map[string]string{"app": name}, Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}
}

func checkLoadBalancerAddresses(t *testing.T, s *stage) {
	ns := s.namespace(t)
	asked := serviceOf(ns, "asked", corev1.ServiceTypeLoadBalancer, map[string]string{"lbipam.cilium.io/ips": "192.0.2.7"})
	given := serviceOf(ns, "given", corev1.ServiceTypeLoadBalancer, nil)
	s.make(t, asked, given)
	hasAddress := func(svc *corev1.Service) bool { return len(svc.Status.LoadBalancer.Ingress) == 1 }
	asked = await(t, s, asked, &corev1.ServiceList{}, "given an address", hasAddress)
	if ip := asked.Status.LoadBalancer.Ingress[0].IP; ip != "192.0.2.7" {
		t.Errorf("the Service asked for 192.0.2.7 and got %s", ip)
	}
	given = await(t, s, given, &corev1.ServiceList{}, "given an address", hasAddress)
	if ip := given.Status.LoadBalancer.Ingress[0].IP; ip[:10] != "203.0.113." {
		t.Errorf("the address %s is not of the pool", ip)
	}
}

// verdict is a parent's conditions, shortened.
func verdictOf(status gatewayv1.RouteParentStatus) map[string]string {
	short := map[string]string{}
	for _, c := range status.Conditions {
		short[c.Type] = string(c.Status) + " " + c.Reason
	}
	return short
}

// The reasons are those of https://gateway-api.sigs.k8s.io/reference/spec/.
func checkRoutesAreJudged(t *testing.T, s *stage) {
	ns, other := s.namespace(t), s.namespace(t)
	class := &gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "class-" + ns}, Spec: gatewayv1.GatewayClassSpec{ControllerName: "example.org/gateway"}}
	t.Cleanup(func() { _ = s.Delete(t.Context(), class) })
	all := gatewayv1.NamespacesFromAll
	gateway := &gatewayv1.Gateway{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "gw"},
		Spec: gatewayv1.GatewaySpec{
			GatewayClassName: gatewayv1.ObjectName(class.Name),
			Infrastructure:   &gatewayv1.GatewayInfrastructure{Annotations: map[gatewayv1.AnnotationKey]gatewayv1.AnnotationValue{"lbipam.cilium.io/ips": "192.0.2.8"}},
			Listeners: []gatewayv1.Listener{
				{Name: "http", Protocol: gatewayv1.HTTPProtocolType, Port: 80},
				{
					Name: "https", Protocol: gatewayv1.HTTPSProtocolType, Port: 443, Hostname: ptr.To(gatewayv1.Hostname("*.example.org")),
					AllowedRoutes: &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: &all}},
					TLS:           &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{{Name: "tls"}}},
				},
			},
		},
	}
	route := func(name, section, host, backend string) *gatewayv1.HTTPRoute {
		return &gatewayv1.HTTPRoute{
			ObjectMeta: metav1.ObjectMeta{Namespace: other, Name: name},
			Spec: gatewayv1.HTTPRouteSpec{
				CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{
					Name: "gw", Namespace: ptr.To(gatewayv1.Namespace(ns)), SectionName: ptr.To(gatewayv1.SectionName(section)),
				}}},
				Hostnames: []gatewayv1.Hostname{gatewayv1.Hostname(host)},
				Rules: []gatewayv1.HTTPRouteRule{{BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{
					BackendObjectReference: gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(backend), Port: ptr.To(gatewayv1.PortNumber(80))},
				}}}}},
			},
		}
	}
	early := route("early", "https", "a.example.org", "svc")
	s.make(t, early, serviceOf(other, "svc", corev1.ServiceTypeClusterIP, nil))
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(early), early); err != nil || len(early.Status.Parents) != 0 {
		t.Errorf("a gateway that is not there answers: %v %v", early.Status.Parents, err)
	}
	s.make(t, class, gateway)
	for _, c := range []struct {
		route *gatewayv1.HTTPRoute
		want  map[string]string
	}{
		{early, map[string]string{"Accepted": "True Accepted", "ResolvedRefs": "True ResolvedRefs"}},
		{route("section", "nope", "a.example.org", "svc"), map[string]string{"Accepted": "False NoMatchingParent", "ResolvedRefs": "True ResolvedRefs"}},
		{route("namespace", "http", "a.example.org", "svc"), map[string]string{"Accepted": "False NotAllowedByListeners", "ResolvedRefs": "True ResolvedRefs"}},
		{route("host", "https", "a.example.com", "svc"), map[string]string{"Accepted": "False NoMatchingListenerHostname", "ResolvedRefs": "True ResolvedRefs"}},
		{route("backend", "https", "a.example.org", "none"), map[string]string{"Accepted": "True Accepted", "ResolvedRefs": "False BackendNotFound"}},
	} {
		if c.route != early {
			s.make(t, c.route)
		}
		got := await(t, s, c.route, &gatewayv1.HTTPRouteList{}, "judged", func(r *gatewayv1.HTTPRoute) bool { return len(r.Status.Parents) == 1 })
		if diff := cmp.Diff(c.want, verdictOf(got.Status.Parents[0])); diff != "" {
			t.Errorf("route %s (-want +got):\n%s", c.route.Name, diff)
		}
	}

	// Of a GRPCRoute and an HTTPRoute that share a host name, the older one is accepted.
	rival := &gatewayv1.GRPCRoute{ObjectMeta: metav1.ObjectMeta{Namespace: other, Name: "rival"}, Spec: gatewayv1.GRPCRouteSpec{
		CommonRouteSpec: early.Spec.CommonRouteSpec, Hostnames: []gatewayv1.Hostname{"*.example.org"},
	}}
	s.make(t, rival)
	await(t, s, rival, &gatewayv1.GRPCRouteList{}, "refused for the sake of the older route", func(r *gatewayv1.GRPCRoute) bool {
		return len(r.Status.Parents) == 1 && verdictOf(r.Status.Parents[0])["Accepted"] == "False HostnameConflict"
	})
	before := rival.DeepCopy()
	rival.Spec.Hostnames = []gatewayv1.Hostname{"grpc.example.org"}
	if err := s.Patch(t.Context(), rival, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	await(t, s, rival, &gatewayv1.GRPCRouteList{}, "accepted with a host name of its own", func(r *gatewayv1.GRPCRoute) bool {
		return verdictOf(r.Status.Parents[0])["Accepted"] == "True Accepted"
	})
	// Of two that are as old as each other the names decide.
	late := route("younger", "https", "grpc.example.org", "svc")
	s.make(t, late)
	await(t, s, late, &gatewayv1.HTTPRouteList{}, "refused for the sake of the older route", func(r *gatewayv1.HTTPRoute) bool {
		return len(r.Status.Parents) == 1 && verdictOf(r.Status.Parents[0])["Accepted"] == "False HostnameConflict"
	})
	if err := s.Delete(t.Context(), rival); err != nil {
		t.Fatal(err)
	}
	await(t, s, late, &gatewayv1.HTTPRouteList{}, "accepted once the other is gone", func(r *gatewayv1.HTTPRoute) bool {
		return verdictOf(r.Status.Parents[0])["Accepted"] == "True Accepted"
	})
	if err := s.Delete(t.Context(), late); err != nil {
		t.Fatal(err)
	}

	s.make(t, serviceOf(other, "none", corev1.ServiceTypeClusterIP, nil))
	await(t, s, route("backend", "", "", ""), &gatewayv1.HTTPRouteList{}, "resolved once its Service is there", func(r *gatewayv1.HTTPRoute) bool {
		return verdictOf(r.Status.Parents[0])["ResolvedRefs"] == "True ResolvedRefs"
	})

	programmed := func(listener int, want metav1.ConditionStatus) func(*gatewayv1.Gateway) bool {
		return func(g *gatewayv1.Gateway) bool {
			if len(g.Status.Listeners) != 2 || len(g.Status.Addresses) != 1 || g.Status.Addresses[0].Value != "192.0.2.8" {
				return false
			}
			for _, c := range g.Status.Listeners[listener].Conditions {
				if c.Type == "Programmed" {
					return c.Status == want
				}
			}
			return false
		}
	}
	await(t, s, gateway, &gatewayv1.GatewayList{}, "without a certificate", programmed(1, metav1.ConditionFalse))
	s.make(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "tls"}, Data: certificateData(t)})
	await(t, s, gateway, &gatewayv1.GatewayList{}, "programmed, with two routes", func(g *gatewayv1.Gateway) bool {
		return programmed(1, metav1.ConditionTrue)(g) && g.Status.Listeners[1].AttachedRoutes == 2 && g.Status.Listeners[0].AttachedRoutes == 0
	})
}

// certificateData returns the content of a TLS Secret.
func certificateData(t *testing.T) map[string][]byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"*.example.org"}, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		corev1.TLSCertKey:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		corev1.TLSPrivateKeyKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	}
}

// checkGatewayFaults: without proxies a gateway is not Programmed, for the
// reason NoResources of https://gateway-api.sigs.k8s.io/reference/spec/, and a
// pool without addresses leaves who comes late with none.
func checkGatewayFaults(t *testing.T, s *stage) {
	ns := s.namespace(t)
	class := &gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "class-" + ns}, Spec: gatewayv1.GatewayClassSpec{ControllerName: "example.org/gateway"}}
	t.Cleanup(func() { _ = s.Delete(context.Background(), class) })
	gateway := func(name string) *gatewayv1.Gateway {
		return &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: gatewayv1.GatewaySpec{
			GatewayClassName: gatewayv1.ObjectName(class.Name),
			Listeners:        []gatewayv1.Listener{{Name: "http", Protocol: gatewayv1.HTTPProtocolType, Port: 80}},
		}}
	}
	programmed := func(want string) func(*gatewayv1.Gateway) bool {
		return func(g *gatewayv1.Gateway) bool {
			c := apimeta.FindStatusCondition(g.Status.Conditions, "Programmed")
			return c != nil && string(c.Status)+" "+c.Reason == want && (g.Annotations["hearth.dev/loopback"] != "") == (c.Status == metav1.ConditionTrue)
		}
	}
	early, late := gateway("early"), gateway("late")
	s.make(t, class, early)
	await(t, s, early, &gatewayv1.GatewayList{}, "programmed", programmed("True Programmed"))

	down := domain.Fault{Kind: domain.FaultGatewayDown, Which: ns + "/early"}
	s.faults.Inject(down)
	await(t, s, early, &gatewayv1.GatewayList{}, "without proxies", programmed("False NoResources"))
	s.faults.Lift(down)
	await(t, s, early, &gatewayv1.GatewayList{}, "programmed again", programmed("True Programmed"))

	empty := domain.Fault{Kind: domain.FaultPoolEmpty}
	s.faults.Inject(empty)
	s.make(t, late)
	await(t, s, late, &gatewayv1.GatewayList{}, "without an address", programmed("False AddressNotAssigned"))
	await(t, s, early, &gatewayv1.GatewayList{}, "still programmed", programmed("True Programmed"))
	s.faults.Lift(empty)
	await(t, s, late, &gatewayv1.GatewayList{}, "programmed in the end", programmed("True Programmed"))
}
