package integration_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"hearth/internal/domain"
	namekeeper "hearth/internal/engine/dns"
	"hearth/internal/engine/dns/record"
	"hearth/internal/engine/dns/server"
	"hearth/internal/kube/crds"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
)

// naming runs External-DNS pods in a namespace of its own.
type naming struct {
	client.Client
	t         *testing.T
	namespace string
	server    *server.Server
	faults    *domain.Faults
}

func startNaming(t *testing.T) *naming {
	t.Helper()
	n := &naming{t: t, namespace: namespace(t), server: server.New(), faults: &domain.Faults{}}
	if err := n.server.Listen(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.server.Close() })
	var err error
	if n.Client, err = client.New(cluster(t).Config(), client.Options{Scheme: scheme.New()}); err != nil {
		t.Fatal(err)
	}
	endpoints := crds.Permissive("externaldns.k8s.io", "v1alpha1", "DNSEndpoint", "dnsendpoints", true)
	endpoints.Annotations = map[string]string{"api-approved.kubernetes.io": "unapproved, a test's"}
	if err := n.Create(t.Context(), endpoints); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	mgr, err := manager.New(cluster(t).Config(), manager.Options{
		Scheme: scheme.New(), Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{DefaultNamespaces: map[string]cache.Config{n.namespace: {}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := namekeeper.Options{Gate: work.NewGate(4), Server: n.server, Faults: n.faults, Settle: 100 * time.Millisecond}
	if err := namekeeper.Setup(mgr, o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the manager: %v", err)
		}
	})
	return n
}

func (n *naming) create(obj client.Object) {
	n.t.Helper()
	obj.SetNamespace(n.namespace)
	if err := n.Create(n.t.Context(), obj); err != nil {
		n.t.Fatal(err)
	}
}

// run makes an External-DNS pod that nobody but the test brings to life.
func (n *naming) run(name string, args ...string) *corev1.Pod {
	n.t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{
		SchedulerName: "nobody",
		Containers: []corev1.Container{{
			Name: "external-dns", Image: "registry.k8s.io/external-dns/external-dns:v0.22.0",
			Args: append([]string{"--source=service", "--source=crd", "--provider=cloudflare", "--namespace=" + n.namespace, "--interval=1h"}, args...),
		}},
	}}
	n.create(pod)
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	if err := n.Status().Update(n.t.Context(), pod); err != nil {
		n.t.Fatal(err)
	}
	return pod
}

// point makes a Service with a name whose load balancer has an address.
func (n *naming) point(name, address string) {
	n.t.Helper()
	svc := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{
			"external-dns.alpha.kubernetes.io/hostname": name + ".example.org", "external-dns.alpha.kubernetes.io/target": address,
		}},
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	n.create(svc)
}

func (n *naming) turn(name, address string) {
	n.t.Helper()
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"external-dns.alpha.kubernetes.io/target":"`+address+`"}}}`))
	if err := n.Patch(n.t.Context(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: name}}, patch); err != nil {
		n.t.Fatal(err)
	}
}

func (n *naming) await(what string, done func() bool) {
	n.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			n.t.Fatalf("%s did not come", what)
		}
	}
}

// answers waits until the server answers a name, over the network, with an
// address; "" is NXDOMAIN.
func (n *naming) answers(name, address string) {
	n.t.Helper()
	q := new(dns.Msg).SetQuestion(name+".example.org.", dns.TypeA)
	n.await(name+" at "+address, func() bool {
		m, err := dns.ExchangeContext(n.t.Context(), q, n.server.Address())
		if err != nil {
			return false
		}
		if address == "" {
			return m.Rcode == dns.RcodeNameError
		}
		return len(m.Answer) == 1 && m.Answer[0].(*dns.A).A.String() == address
	})
}

func (n *naming) eventOf(pod *corev1.Pod, reason string) func() bool {
	return func() bool {
		var events corev1.EventList
		if err := n.List(n.t.Context(), &events, client.InNamespace(n.namespace)); err != nil {
			return false
		}
		return slices.ContainsFunc(events.Items, func(e corev1.Event) bool { return e.InvolvedObject.Name == pod.Name && e.Reason == reason })
	}
}

// TestDNSKeepsRecordsWhileItsPodRuns goes from a Service to an answer on the
// wire, through an outage of the provider, and to a pod that is gone.
func TestDNSKeepsRecordsWhileItsPodRuns(t *testing.T) {
	t.Parallel()
	n := startNaming(t)
	pod := n.run("external-dns", "--txt-owner-id=main", "--domain-filter=example.org")
	n.point("www", "192.0.2.1")
	n.answers("www", "192.0.2.1")
	text, err := dns.ExchangeContext(t.Context(), new(dns.Msg).SetQuestion("a-www.example.org.", dns.TypeTXT), n.server.Address())
	if err != nil || len(text.Answer) != 1 || !strings.Contains(text.Answer[0].String(), "external-dns/owner=main,external-dns/resource=service/"+n.namespace+"/www") {
		t.Errorf("the ownership record is %v, %v", text, err)
	}

	n.faults.Inject(domain.Fault{Kind: domain.FaultDNSDown})
	n.turn("www", "192.0.2.2")
	n.await("an event that the provider cannot be reached", n.eventOf(pod, "RecordError"))
	n.answers("www", "192.0.2.1")
	n.faults.Lift(domain.Fault{Kind: domain.FaultDNSDown})
	n.answers("www", "192.0.2.2")
	n.await("an event that it can be reached again", n.eventOf(pod, "RecordReady"))

	if err := n.Delete(t.Context(), pod, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	n.await("the end of the pod", func() bool { return apierrors.IsNotFound(n.Get(t.Context(), client.ObjectKeyFromObject(pod), pod)) })
	n.turn("www", "192.0.2.3")
	n.point("later", "192.0.2.4")
	n.answers("www", "192.0.2.2")
	n.run("external-dns-2", "--txt-owner-id=main", "--domain-filter=example.org")
	n.answers("www", "192.0.2.3")
	n.answers("later", "192.0.2.4")
}

// TestDNSEndpoint writes which generation it has seen, follows the policy, and
// leaves what another owner has.
func TestDNSEndpoint(t *testing.T) {
	t.Parallel()
	n := startNaming(t)
	n.run("theirs", "--txt-owner-id=theirs", "--label-filter=whose=theirs")
	endpoint := func(name, whose, address string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "externaldns.k8s.io/v1alpha1", "kind": "DNSEndpoint",
			"metadata": map[string]any{"name": name, "labels": map[string]any{"whose": whose}},
			"spec":     map[string]any{"endpoints": []any{map[string]any{"dnsName": "x.example.org", "recordType": "A", "targets": []any{address}}}},
		}}
	}
	theirs := endpoint("theirs", "theirs", "192.0.2.1")
	theirs.SetNamespace(n.namespace)
	n.await("the kind", func() bool { return n.Create(t.Context(), theirs) == nil })
	n.answers("x", "192.0.2.1")
	mine := endpoint("mine", "mine", "192.0.2.2")
	n.create(mine)
	n.run("mine", "--txt-owner-id=mine", "--label-filter=whose=mine")
	observed := func(obj *unstructured.Unstructured) func() bool {
		return func() bool {
			seen, ok, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
			if ok && seen == obj.GetGeneration() {
				return true
			}
			return n.Get(n.t.Context(), client.ObjectKeyFromObject(obj), obj) != nil
		}
	}
	n.await("the observed generation", observed(mine))
	n.answers("x", "192.0.2.1")
	if err := n.Delete(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	// Their record goes, and ours takes its place at the next look.
	n.await("the name to be free", func() bool {
		records, err := n.server.Account("cloudflare", false).Records(t.Context())
		return err == nil && !slices.ContainsFunc(records, func(r record.Record) bool { return r.Name == "x.example.org" && r.Targets[0] == "192.0.2.1" })
	})
	n.point("nudge", "192.0.2.9")
	n.answers("x", "192.0.2.2")
}
