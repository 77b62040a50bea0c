package integration_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/cli"
)

// hearth runs the program and returns what it wrote and its exit code.
func hearth(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = cli.Main(t.Context(), cli.Process{Args: args, Stdout: &out, Stderr: &errOut})
	return out.String(), errOut.String(), code
}

func TestGetAndKubectl(t *testing.T) {
	o := observeNamespace(t)
	h := &helmv2.HelmRelease{ObjectMeta: o.meta("immich")}
	h.Spec.Interval = metav1.Duration{Duration: time.Hour}
	h.Spec.ChartRef = &helmv2.CrossNamespaceSourceReference{Kind: "OCIRepository", Name: "app-template"}
	o.create(h)
	h.Status.Conditions = conditionsOf("Ready", "False", "SourceNotReady", "chart \x1b[2J not ready")
	o.update(h)
	pod := &corev1.Pod{ObjectMeta: o.meta("immich-0")}
	pod.Labels = map[string]string{"helm.toolkit.fluxcd.io/name": "immich", "helm.toolkit.fluxcd.io/namespace": o.namespace}
	pod.Spec.Containers = []corev1.Container{{Name: "app", Image: "x"}}
	deadline := time.Now().Add(20 * time.Second)
	for o.client.Create(o.ctx, pod) != nil {
		if time.Now().After(deadline) {
			t.Fatal("no pod can be created")
		}
		time.Sleep(100 * time.Millisecond)
	}
	kubeconfig := cluster(t).KubeconfigPath()

	stdout, stderr, code := hearth(t, "get", "hr", "-n", o.namespace, "--kubeconfig", kubeconfig)
	if code != 0 || stderr != "" {
		t.Errorf("get hr: exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"NAMESPACE", "immich", "Pending", "pods 1 Pending", "chart  [2J not ready"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("get hr does not say %q: %q", want, stdout)
		}
	}

	stdout, _, code = hearth(t, "get", "pods", "-o", "json", "--kubeconfig", kubeconfig, "-n", o.namespace)
	var got struct {
		Objects []struct {
			Name, State string
			Owner       struct{ Kind, Name string }
		}
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 {
		t.Fatalf("get pods: exit code %d: %v: %s", code, err, stdout)
	}
	if len(got.Objects) != 1 || got.Objects[0].State != "Pending" || got.Objects[0].Owner.Name != "immich" {
		t.Errorf("get pods: %+v", got)
	}

	stdout, stderr, code = hearth(t, "kubectl", "--kubeconfig", kubeconfig, "get", "pods", "-n", o.namespace, "-o", "name")
	if code != 0 || stdout != "pod/immich-0\n" {
		t.Errorf("kubectl get pods: exit code %d: %q %q", code, stdout, stderr)
	}
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"kubectl", "--kubeconfig", kubeconfig, "get", "pod", "no-such-pod", "-n", o.namespace}, 1, "NotFound"},
		{[]string{"get", "hr", "no-such-release", "--kubeconfig", kubeconfig}, 1, `there is no HelmRelease "no-such-release"`},
		{[]string{"get", "hr", "--kubeconfig", kubeconfig, "--context", "no-such-context"}, 1, `no context "no-such-context"`},
		{[]string{"get", "gizmos", "--kubeconfig", kubeconfig}, 2, `no kind "gizmos"`},
		{[]string{"get", "--no-such-flag"}, 2, "unknown flag"},
	} {
		_, stderr, code := hearth(t, test.args...)
		if code != test.code || !strings.Contains(stderr, test.says) {
			t.Errorf("%v: exit code %d, want %d: %s", test.args, code, test.code, stderr)
		}
	}
}
