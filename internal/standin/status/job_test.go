package status

import (
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/kube/scheme"
	"hearth/internal/standin/operator"
)

func jobOf(image string, args ...string) *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "o", Name: "admission-create"},
		Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "create", Image: image, Args: args}},
		}}},
	}
}

func jobsOf(t *testing.T, rows ...Row) *jobs {
	t.Helper()
	table, err := newTable(rows)
	if err != nil {
		t.Fatal(err)
	}
	return &jobs{
		Options: Options{Options: operator.Options{Assumptions: &domain.Assumptions{}}}, rules: table.jobs,
		client: fake.NewClientBuilder().WithScheme(scheme.New()).Build(), done: map[client.ObjectKey]*batchv1.Job{},
	}
}

// The arguments and keys are those of https://github.com/kubernetes/ingress-nginx/tree/main/images/kube-webhook-certgen
// and of https://gateway.envoyproxy.io/docs/tasks/security/tls-between-components (certgen).
func TestCertificateGeneratorsMakeTheirSecrets(t *testing.T) {
	for _, c := range []struct {
		job  *batchv1.Job
		want map[string][]string
	}{
		{jobOf("registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.6.4@sha256:1", "create", "--host=webhook,webhook.o.svc", "--namespace=o", "--secret-name=admission"),
			map[string][]string{"admission": {"ca", "cert", "key"}}},
		{jobOf("ghcr.io/jkroepke/kube-webhook-certgen:1.7.4", "create", "--secret-name", "admission", "--cert-name", "tls.crt", "--key-name", "tls.key"),
			map[string][]string{"admission": {"ca", "tls.crt", "tls.key"}}},
		{jobOf("ghcr.io/jkroepke/kube-webhook-certgen:1.7.4", "patch", "--secret-name=admission"), map[string][]string{}},
		{jobOf("docker.io/envoyproxy/gateway:v1.6.0", "certgen"), map[string][]string{
			"envoy-gateway": {"ca.crt", "tls.crt", "tls.key"}, "envoy": {"ca.crt", "tls.crt", "tls.key"}, "envoy-rate-limit": {"ca.crt", "tls.crt", "tls.key"}, "envoy-oidc-hmac": {"hmac-secret"},
		}},
		{jobOf("quay.io/cilium/certgen:v0.3.1"), map[string][]string{
			"hubble-server-certs": {"ca.crt", "tls.crt", "tls.key"}, "hubble-relay-client-certs": {"ca.crt", "tls.crt", "tls.key"},
		}},
	} {
		j := jobsOf(t)
		if j.take(c.job) {
			t.Errorf("%s has not run yet", c.job.Spec.Template.Spec.Containers[0].Image)
		}
		c.job.Status.Succeeded = 1
		if !j.take(c.job) {
			t.Fatalf("nobody plays %s", c.job.Spec.Template.Spec.Containers[0].Image)
		}
		if _, err := j.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(c.job)}); err != nil {
			t.Fatal(err)
		}
		list := &corev1.SecretList{}
		if err := j.client.List(t.Context(), list, client.InNamespace("o")); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) != len(c.want) {
			t.Errorf("%d secrets, not %d", len(list.Items), len(c.want))
		}
		for _, s := range list.Items {
			var keys []string
			for key, value := range s.StringData {
				keys = append(keys, key)
				if strings.HasSuffix(key, "crt") && !strings.HasPrefix(value, "-----BEGIN CERTIFICATE") {
					t.Errorf("%s of %s is no certificate", key, s.Name)
				}
			}
			slices.Sort(keys)
			if !slices.Equal(keys, c.want[s.Name]) {
				t.Errorf("%s has %v, not %v", s.Name, keys, c.want[s.Name])
			}
		}
		if got := len(j.Assumptions.List()); (got > 0) != (len(c.want) > 0) {
			t.Errorf("%d assumptions", got)
		}
	}
}

func TestUsersRowsOfJobsComeFirst(t *testing.T) {
	rows, err := Parse([]byte(`
- group: batch
  kind: Job
  images: [kube-webhook-certgen]
  objects: '[{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}]'
`))
	if err != nil {
		t.Fatal(err)
	}
	j := jobsOf(t, rows...)
	job := jobOf("example.org/kube-webhook-certgen", "create", "--secret-name=s")
	got, _, err := j.wanted(t.Context(), job)
	if err != nil || len(got) != 1 || got[0].GetName() != "mine" || got[0].GetNamespace() != "o" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Parse([]byte("- {group: batch, kind: Job, objects: '[]'}\n")); err == nil || !strings.Contains(err.Error(), "images") {
		t.Errorf("a row for all Jobs is taken: %v", err)
	}
	if j.find(jobOf("example.org/other")) != nil {
		t.Error("a row is found for a Job that none is for")
	}
}
