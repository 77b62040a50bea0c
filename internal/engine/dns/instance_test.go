package dns

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/engine/dns/settings"
	"hearth/internal/engine/dns/source"
)

func TestAccountName(t *testing.T) {
	tests := []struct {
		provider, image, want string
		inside                bool
	}{
		{"cloudflare", "", "cloudflare", false},
		{"pihole", "", "pihole", true},
		{"webhook", "ghcr.io/x/external-dns-unifi-webhook:0.10@sha256:ab", "unifi", true},
		{"webhook", "ghcr.io/x/external-dns-hetzner-webhook:v1", "hetzner", false},
		{"webhook", "", "webhook", false},
	}
	for _, test := range tests {
		s := settings.Default()
		s.Provider = test.provider
		if name, inside := accountName(s, test.image); name != test.want || inside != test.inside {
			t.Errorf("%s %s is %s, inside %v", test.provider, test.image, name, inside)
		}
	}
}

func TestProgram(t *testing.T) {
	for image, want := range map[string]bool{
		"registry.k8s.io/external-dns/external-dns:v0.22.0@sha256:ab": true, "docker.io/bitnami/external-dns": true, "localhost:5000/external-dns:1": true,
		"ghcr.io/x/external-dns-unifi-webhook:1": false, "nginx": false,
	} {
		pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Image: "istio"}, {Image: image}}}}
		if got := isProgram(pod); got != want {
			t.Errorf("%s is External-DNS: %v", image, got)
		}
	}
}

func TestWorkload(t *testing.T) {
	yes := true
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: "external-dns-5f4-x2", Labels: map[string]string{"pod-template-hash": "5f4"},
		OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "external-dns-5f4", Controller: &yes}},
	}}
	if got := workload(pod); got != "external-dns" {
		t.Errorf("the workload is %s", got)
	}
}

func TestGatewayServices(t *testing.T) {
	gw := gatewayv1.Gateway{
		ObjectMeta: metav1.ObjectMeta{Namespace: "network", Name: "inside"},
		Spec: gatewayv1.GatewaySpec{Infrastructure: &gatewayv1.GatewayInfrastructure{
			Annotations: map[gatewayv1.AnnotationKey]gatewayv1.AnnotationValue{"external-dns.alpha.kubernetes.io/hostname": "inside.example.org"},
		}},
		Status: gatewayv1.GatewayStatus{Addresses: []gatewayv1.GatewayStatusAddress{{Value: "192.0.2.1"}}},
	}
	w := &source.World{Gateways: []gatewayv1.Gateway{gw}}
	addGatewayServices(w)
	s, err := settings.Parse([]string{"--source=service"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range source.Records(w, s) {
		got = append(got, r.String())
	}
	if diff := cmp.Diff([]string{"inside.example.org A 192.0.2.1"}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	w = &source.World{Gateways: w.Gateways, Services: []corev1.Service{{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{gatewayNameLabel: "inside"}}}}}
	if addGatewayServices(w); len(w.Services) != 1 {
		t.Error("a Service is made up beside the controller's own")
	}
}
