package integration_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// login makes a service account, and a kubeconfig that logs in as it.
func (g *gitops) login(account string) string {
	g.t.Helper()
	g.apply(fmt.Sprintf("{apiVersion: v1, kind: ServiceAccount, metadata: {name: %s, namespace: %s}}", account, g.namespace))
	config := cluster(g.t).Config()
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		g.t.Fatal(err)
	}
	token, err := kube.CoreV1().ServiceAccounts(g.namespace).CreateToken(g.t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		g.t.Fatal(err)
	}
	ca := base64.StdEncoding.EncodeToString(config.CAData)
	return fmt.Sprintf("{apiVersion: v1, kind: Config, current-context: home, clusters: [{name: home, cluster: {server: %q, tls-server-name: %q, certificate-authority-data: %s}}], users: [{name: me, user: {token: %s}}], contexts: [{name: home, context: {cluster: home, user: me}}]}",
		config.Host, config.ServerName, ca, token.Status.Token)
}

// secret applies a Secret with one entry.
func (g *gitops) secret(name, key, value string) {
	g.t.Helper()
	g.apply(fmt.Sprintf("{apiVersion: v1, kind: Secret, metadata: {name: %s, namespace: %s}, data: {%s: %s}}", name, g.namespace, key, base64.StdEncoding.EncodeToString([]byte(value))))
}

// admit lets a service account do all in the namespace.
func (g *gitops) admit(account string) {
	g.t.Helper()
	g.apply(fmt.Sprintf("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: %[1]s, namespace: %[2]s}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}, subjects: [{kind: ServiceAccount, name: %[1]s, namespace: %[2]s}]}", account, g.namespace))
}

// TestKustomizationKubeConfig applies, checks, prunes and deletes as whom a
// kubeconfig stands for.
func TestKustomizationKubeConfig(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/state.yaml": configMap("state", "working"), "apps/b.yaml": configMap("b", "1")})
	g.secret("remote", "value.yaml", g.login("limited"))
	g.kustomization("apps", "{retryInterval: 1s, timeout: 2m, kubeConfig: {secretRef: {name: remote}}, deletionPolicy: WaitForTermination, "+
		"healthChecks: [{apiVersion: v1, kind: ConfigMap, name: state, namespace: "+g.namespace+"}], "+
		"healthCheckExprs: [{apiVersion: v1, kind: ConfigMap, inProgress: \"data.value == 'working'\", current: \"data.value == 'done'\"}]}")
	g.failed("apps", meta.ReconciliationFailedReason, "system:serviceaccount:"+g.namespace+":limited")
	g.admit("limited")
	g.until("apps", "checking", func(k *kustomizev1.Kustomization) bool {
		return strings.HasPrefix(conditions.GetMessage(k, meta.HealthyCondition), "Running health checks")
	})

	state := g.configMap("state")
	state.Data["value"] = "done"
	if err := g.client.Update(t.Context(), state, client.FieldOwner("kubectl-edit")); err != nil {
		t.Fatal(err)
	}
	first := g.ready("apps")
	g.push(map[string]string{"apps/b.yaml": "", "apps/state.yaml": configMap("state", "done")})
	g.readyAgain("apps", first.Status.LastAppliedRevision)
	g.gone("b")

	if err := g.client.Delete(t.Context(), g.get("apps")); err != nil {
		t.Fatal(err)
	}
	g.gone("state")
	g.goneKustomization("apps")
}

func (g *gitops) goneKustomization(name string) {
	g.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := g.client.Get(g.t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: name}, &kustomizev1.Kustomization{})
		if apierrors.IsNotFound(err) {
			return
		}
		if time.Now().After(deadline) {
			g.t.Fatalf("Kustomization %s does not go: %v", name, err)
		}
	}
}

// TestKustomizationKubeConfigImpersonates acts as a service account of the
// other cluster, which the kubeconfig's user may do and no more.
func TestKustomizationKubeConfigImpersonates(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
	g.secret("remote", "mine", g.login("door"))
	g.apply("{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: act, namespace: " + g.namespace + "}, rules: [{apiGroups: [''], resources: [serviceaccounts], verbs: [impersonate], resourceNames: [worker]}]}")
	g.apply("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: act, namespace: " + g.namespace + "}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: act}, subjects: [{kind: ServiceAccount, name: door, namespace: " + g.namespace + "}]}")
	g.apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: worker, namespace: " + g.namespace + "}}")
	g.kustomization("apps", "{retryInterval: 1s, serviceAccountName: worker, kubeConfig: {secretRef: {name: remote, key: mine}}}")
	g.failed("apps", meta.ReconciliationFailedReason, "system:serviceaccount:"+g.namespace+":worker")
	g.admit("worker")
	g.ready("apps")
}

// TestKustomizationKubeConfigRefused names what is wrong with a kubeconfig, and
// tells nothing that stands in it.
func TestKustomizationKubeConfigRefused(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
	config := g.login("limited")
	const spec = "{retryInterval: 1s, kubeConfig: {secretRef: {name: remote}}}"
	g.kustomization("apps", spec)
	g.failed("apps", meta.ReconciliationFailedReason, "KubeConfig secret '"+g.namespace+"/remote' not found")
	for _, c := range []struct{ key, config, want string }{
		{"other", config, "does not contain a 'value' key"},
		{"value", "users: [{token: s3cr3t-token", "this is no valid kubeconfig"},
		{"value", strings.Replace(config, "{token: ", "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: s3cr3t-token}, tokenx: ", 1), "runs a program to log in"},
		{"value", strings.Replace(config, "{token: ", "{tokenFile: /etc/passwd, tokenx: ", 1), "only an inline token is supported"},
		{"value", strings.Replace(config, "server: \"https://", "server: \"https://169.254.169.254/\", x: \"", 1), "169.254.169.254"},
	} {
		err := g.client.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "remote", Namespace: g.namespace}})
		if client.IgnoreNotFound(err) != nil {
			t.Fatal(err)
		}
		g.secret("remote", c.key, c.config)
		refused := g.failed("apps", meta.ReconciliationFailedReason, c.want)
		if strings.Contains(fmt.Sprint(refused.Status, g.events("apps")), "s3cr3t-token") {
			t.Error("what stands in the kubeconfig shows")
		}
	}
	g.apply(fmt.Sprintf("{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: cloud, namespace: %s}, spec: {interval: 1h, prune: true, path: ./apps, sourceRef: {kind: GitRepository, name: home}, kubeConfig: {configMapRef: {name: cloud}}}}", g.namespace))
	g.failed("cloud", meta.ReconciliationFailedReason, "Hearth has no identity at cloud providers")
	if g.exists("a") {
		t.Error("something was applied")
	}
}
