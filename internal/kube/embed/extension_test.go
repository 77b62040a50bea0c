package embed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	aggregationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	aggregation "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset"

	"hearth/internal/kube/crds"
)

// configMapRules match ConfigMaps of one namespace being created.
func configMapRules() []admissionregistrationv1.NamedRuleWithOperations {
	return []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: admissionregistrationv1.RuleWithOperations{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
	}}}
}

func only(ns string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": ns}}
}

func TestValidatingPolicyRejects(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	create := metav1.CreateOptions{}
	registry := client.AdmissionregistrationV1()
	policy, err := registry.ValidatingAdmissionPolicies().Create(t.Context(), &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "no-bad-"},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{NamespaceSelector: only(ns), ResourceRules: configMapRules()},
			Validations:      []admissionregistrationv1.Validation{{Expression: "object.metadata.name != 'bad'", Message: "nothing bad here"}},
		},
	}, create)
	if err != nil {
		t.Fatal(err)
	}
	binding, err := registry.ValidatingAdmissionPolicyBindings().Create(t.Context(), &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: named(policy.Name),
		Spec:       admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: policy.Name, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny}},
	}, create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = registry.ValidatingAdmissionPolicyBindings().Delete(context.Background(), binding.Name, metav1.DeleteOptions{})
		_ = registry.ValidatingAdmissionPolicies().Delete(context.Background(), policy.Name, metav1.DeleteOptions{})
	})
	eventually(t, 10*time.Second, func() error {
		_, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: named("bad")}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil {
			return errNotYet
		}
		if !strings.Contains(err.Error(), "nothing bad here") {
			return err
		}
		return nil
	})
	if _, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: named("good")}, create); err != nil {
		t.Errorf("the policy rejects what it should not: %v", err)
	}
}

func TestMutatingPolicyMutates(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	create := metav1.CreateOptions{}
	registry := client.AdmissionregistrationV1()
	policy, err := registry.MutatingAdmissionPolicies().Create(t.Context(), &admissionregistrationv1.MutatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "label-"},
		Spec: admissionregistrationv1.MutatingAdmissionPolicySpec{
			MatchConstraints:   &admissionregistrationv1.MatchResources{NamespaceSelector: only(ns), ResourceRules: configMapRules()},
			ReinvocationPolicy: admissionregistrationv1.NeverReinvocationPolicy,
			Mutations: []admissionregistrationv1.Mutation{{
				PatchType:          admissionregistrationv1.PatchTypeApplyConfiguration,
				ApplyConfiguration: &admissionregistrationv1.ApplyConfiguration{Expression: `Object{metadata: Object.metadata{labels: {"seen": "yes"}}}`},
			}},
		},
	}, create)
	if err != nil {
		t.Fatal(err)
	}
	binding, err := registry.MutatingAdmissionPolicyBindings().Create(t.Context(), &admissionregistrationv1.MutatingAdmissionPolicyBinding{
		ObjectMeta: named(policy.Name), Spec: admissionregistrationv1.MutatingAdmissionPolicyBindingSpec{PolicyName: policy.Name},
	}, create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = registry.MutatingAdmissionPolicyBindings().Delete(context.Background(), binding.Name, metav1.DeleteOptions{})
		_ = registry.MutatingAdmissionPolicies().Delete(context.Background(), policy.Name, metav1.DeleteOptions{})
	})
	eventually(t, 10*time.Second, func() error {
		made, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: named("c")}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil && made.Labels["seen"] != "yes" {
			err = errNotYet
		}
		return err
	})
}

// serveAs answers for a Service with a TLS server of this process, and returns
// the CA that clients of the Service have to trust.
func serveAs(t *testing.T, namespace, name string, handler http.Handler) (caPEM []byte) {
	t.Helper()
	host := name + "." + namespace + ".svc"
	certPEM, keyPEM, err := shared.keys.ca.issue(serverCertificate(host))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.TLS = tlsConfig(t, certPEM, keyPEM)
	server.StartTLS()
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	backends.Store(namespace+"/"+name, u)
	t.Cleanup(func() { backends.Delete(namespace + "/" + name) })
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shared.keys.ca.cert.Raw})
}

func TestWebhookBehindAServiceIsResolved(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	ca := serveAs(t, ns, "hook", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review admissionv1.AdmissionReview
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Result: &metav1.Status{Message: "said the webhook at " + r.URL.Path}}
		_ = json.NewEncoder(w).Encode(review)
	}))
	path, fail, none := "/check", admissionregistrationv1.Fail, admissionregistrationv1.SideEffectClassNone
	hook := func(service string) admissionregistrationv1.ValidatingWebhook {
		return admissionregistrationv1.ValidatingWebhook{
			Name:                    service + ".example.com",
			ClientConfig:            admissionregistrationv1.WebhookClientConfig{CABundle: ca, Service: &admissionregistrationv1.ServiceReference{Namespace: ns, Name: service, Path: &path}},
			Rules:                   []admissionregistrationv1.RuleWithOperations{configMapRules()[0].RuleWithOperations},
			NamespaceSelector:       only(ns),
			ObjectSelector:          &metav1.LabelSelector{MatchLabels: map[string]string{"ask": service}},
			FailurePolicy:           &fail,
			SideEffects:             &none,
			AdmissionReviewVersions: []string{"v1"},
		}
	}
	configurations := client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	made, err := configurations.Create(t.Context(), &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "hook-"},
		Webhooks:   []admissionregistrationv1.ValidatingWebhook{hook("hook"), hook("down")},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = configurations.Delete(context.Background(), made.Name, metav1.DeleteOptions{}) })

	for service, want := range map[string]string{"hook": "said the webhook at /check", "down": "has no running pods"} {
		eventually(t, 10*time.Second, func() error {
			meta := named("c")
			meta.Labels = map[string]string{"ask": service}
			_, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: meta}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if err == nil {
				return errNotYet
			}
			if !strings.Contains(err.Error(), want) {
				return err
			}
			return nil
		})
	}
}

func TestAggregatedAPIIsReached(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	gv := schema.GroupVersion{Group: "weather.example.com", Version: "v1"}
	ca := serveAs(t, ns, "weather", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/apis/" + gv.String():
			_ = json.NewEncoder(w).Encode(metav1.APIResourceList{GroupVersion: gv.String(), APIResources: []metav1.APIResource{{Name: "forecasts", Kind: "Forecast", Verbs: []string{"get"}}}})
		case "/apis/" + gv.String() + "/forecasts/today":
			_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": gv.String(), "kind": "Forecast", "metadata": map[string]any{"name": "today"}, "asked by": r.Header.Get("X-Remote-User")})
		default:
			http.NotFound(w, r)
		}
	}))
	port := int32(443)
	if _, err := client.CoreV1().Services(ns).Create(t.Context(), &corev1.Service{ObjectMeta: named("weather"), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "weather.invalid"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	services, err := aggregation.NewForConfig(shared.Config())
	if err != nil {
		t.Fatal(err)
	}
	registrations := services.ApiregistrationV1().APIServices()
	made, err := registrations.Create(t.Context(), &aggregationv1.APIService{
		ObjectMeta: named(gv.Version + "." + gv.Group),
		Spec: aggregationv1.APIServiceSpec{
			Group: gv.Group, Version: gv.Version, GroupPriorityMinimum: 100, VersionPriority: 100, CABundle: ca,
			Service: &aggregationv1.ServiceReference{Namespace: ns, Name: "weather", Port: &port},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = registrations.Delete(context.Background(), made.Name, metav1.DeleteOptions{}) })
	eventually(t, 10*time.Second, func() error {
		raw, err := client.Discovery().RESTClient().Get().AbsPath("/apis", gv.String(), "forecasts", "today").DoRaw(t.Context())
		if err == nil && !strings.Contains(string(raw), "asked by") {
			err = errNotYet
		}
		return err
	})
}

func TestCustomKindOwnsAndIsCollected(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	if err := crds.Install(t.Context(), shared.Config(), crds.Permissive("farm.example.com", "v1", "Barn", "barns", true)); err != nil {
		t.Fatal(err)
	}
	objects, err := dynamic.NewForConfig(shared.Config())
	if err != nil {
		t.Fatal(err)
	}
	barns := objects.Resource(schema.GroupVersionResource{Group: "farm.example.com", Version: "v1", Resource: "barns"}).Namespace(ns)
	barn, err := barns.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "farm.example.com/v1", "kind": "Barn", "metadata": map[string]any{"name": "red"}, "spec": map[string]any{"cows": int64(3)},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if cows, _, _ := unstructured.NestedInt64(barn.Object, "spec", "cows"); cows != 3 {
		t.Errorf("the permissive CRD drops fields: %v", barn.Object)
	}
	// The API server holds creates of a new kind up, unless it is dated back.
	definitions, err := clientset.NewForConfig(shared.Config())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, func() error {
		crd, err := definitions.ApiextensionsV1().CustomResourceDefinitions().Get(t.Context(), "barns.farm.example.com", metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range crd.Status.Conditions {
			if condition.Type == apiextensionsv1.Established && condition.LastTransitionTime.Before(&crd.CreationTimestamp) {
				return nil
			}
		}
		return errNotYet
	})
	owned := named("owned")
	owned.OwnerReferences = []metav1.OwnerReference{{APIVersion: "farm.example.com/v1", Kind: "Barn", Name: barn.GetName(), UID: barn.GetUID()}}
	if _, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: owned}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := barns.Delete(t.Context(), "red", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	// The garbage collector looks for new kinds only every 30 s by itself.
	eventually(t, 10*time.Second, func() error {
		if _, err := client.CoreV1().ConfigMaps(ns).Get(t.Context(), "owned", metav1.GetOptions{}); err == nil {
			return errNotYet
		}
		return nil
	})
}

func serverCertificate(host string) *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: host},
		DNSNames:    []string{host},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

func tlsConfig(t *testing.T, certPEM, keyPEM []byte) *tls.Config {
	t.Helper()
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}
