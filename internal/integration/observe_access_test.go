package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/kube/scheme"
	"hearth/internal/observe"
)

// observerWaits bounds what a test waits for, on however slow a machine.
const observerWaits = 2 * time.Minute

// documentedObserver makes the ServiceAccount and the roles of docs/observe.md,
// and returns a configuration that has exactly their rights.
func documentedObserver(t *testing.T, admin client.Client) *rest.Config {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "observe.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, manifest, _ := strings.Cut(string(text), "```yaml\n")
	manifest, _, found := strings.Cut(manifest, "```")
	if !found {
		t.Fatal("docs/observe.md has no manifest of what it takes to observe")
	}
	return observerOf(t, admin, manifest, "hearth-observer")
}

// observerOf makes the objects of a manifest, and returns a configuration for
// an account among them, of the namespace default.
func observerOf(t *testing.T, admin client.Client, manifest, name string) *rest.Config {
	t.Helper()
	documents := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), 4096)
	for {
		obj := &unstructured.Unstructured{}
		if err := documents.Decode(&obj.Object); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if err := admin.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := admin.Delete(context.Background(), obj); err != nil {
				t.Error(err)
			}
		})
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	request := &authenticationv1.TokenRequest{}
	if err := admin.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(cluster(t).Config())
	config.BearerToken = request.Status.Token
	return config
}

// kubeconfigOf writes a configuration to a file, as `--kubeconfig` wants it.
func kubeconfigOf(t *testing.T, c *rest.Config) string {
	t.Helper()
	file := clientcmdapi.NewConfig()
	file.Clusters["c"] = &clientcmdapi.Cluster{Server: c.Host, CertificateAuthorityData: c.CAData, CertificateAuthority: c.CAFile, TLSServerName: c.ServerName}
	file.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: c.BearerToken}
	file.Contexts["c"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	file.CurrentContext = "c"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*file, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestObserverNeedsNoMoreThanDocumented observes a cluster with the rights that
// docs/observe.md gives, and none besides: by the verbs, and as a stream, which
// takes in a kind whose definition arrives later.
func TestObserverNeedsNoMoreThanDocumented(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	config := documentedObserver(t, f.client)
	observer, err := client.NewWithWatch(config, client.Options{Scheme: scheme.New()})
	if err != nil {
		t.Fatal(err)
	}
	// The roles that view is made of may be put together still.
	comesTrue(t, "the observer may not read pods", func() bool { return observer.List(t.Context(), &corev1.PodList{}) == nil })
	if err := observer.List(t.Context(), &corev1.SecretList{}); !apierrors.IsForbidden(err) {
		t.Fatalf("the observer may read Secrets: %v", err)
	}
	f.observable()

	kubeconfig := kubeconfigOf(t, config)
	run := func(says []string, args ...string) {
		t.Helper()
		stdout, stderr, code := hearth(t, append(args, "--kubeconfig", kubeconfig, "--context", "c")...)
		if code != 0 || stderr != "" {
			t.Errorf("hearth %s: exit code %d: %s", strings.Join(args, " "), code, stderr)
		}
		for _, want := range says {
			if !strings.Contains(stdout, want) {
				t.Errorf("hearth %s does not say %q:\n%s", strings.Join(args, " "), want, stdout)
			}
		}
	}
	run([]string{"Kustomizations", "HelmReleases", "HTTPRoutes", "Gateways", "PersistentVolumeClaims", "Provisioning"}, "get", "everything", "-n", f.namespace)
	run([]string{"retries-used-up"}, "get", "--overdue", "-n", f.namespace)
	run([]string{"Kustomization " + f.namespace + "/apps"}, "tree", "ks/apps", "-n", f.namespace)
	run([]string{"HTTPRouteCreated"}, "events", "-n", f.namespace)
	stdout, stderr, code := hearth(t, "explain", "all", "-n", f.namespace, "--kubeconfig", kubeconfig, "--context", "c")
	if code != 1 || stderr != "" || !strings.Contains(stdout, "HelmRelease "+f.namespace+"/immich") {
		t.Errorf("hearth explain all: exit code %d: %s%s", code, stderr, stdout)
	}
	if unseen := linesWith(stdout, "not looked at: "); !slices.Equal(unseen, []string{"not looked at: Secret: may not be read"}) {
		t.Errorf("with the rights that are documented explain cannot see %q", unseen)
	}
	f.streamed(config, observer)
}

// linesWith returns the lines that begin with a text.
func linesWith(text, prefix string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, prefix) {
			lines = append(lines, line)
		}
	}
	return lines
}

// onlyKustomizations are the rights to read Kustomizations, and nothing else.
const onlyKustomizations = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: hearth-short-sighted}
rules:
- {apiGroups: [kustomize.toolkit.fluxcd.io], resources: [kustomizations], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: hearth-short-sighted}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: hearth-short-sighted}
subjects: [{kind: ServiceAccount, name: hearth-short-sighted, namespace: default}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: hearth-short-sighted, namespace: default}
`

// TestMissingRightsAreSaid holds that what may not be read is named, and the
// rest is shown.
func TestMissingRightsAreSaid(t *testing.T) {
	t.Parallel()
	f := newForeign(t)
	config := observerOf(t, f.client, onlyKustomizations, "hearth-short-sighted")
	observer, err := client.NewWithWatch(config, client.Options{Scheme: scheme.New()})
	if err != nil {
		t.Fatal(err)
	}
	comesTrue(t, "the observer may not read Kustomizations", func() bool { return observer.List(t.Context(), &kustomizev1.KustomizationList{}) == nil })
	f.create(f.kustomization("apps"))
	kubeconfig := kubeconfigOf(t, config)
	run := func(args ...string) (stdout, stderr string) {
		t.Helper()
		stdout, stderr, code := hearth(t, append(args, "-n", f.namespace, "--kubeconfig", kubeconfig)...)
		if code != 0 {
			t.Errorf("hearth %s: exit code %d: %s", strings.Join(args, " "), code, stderr)
		}
		return stdout, stderr
	}
	stdout, stderr := run("get")
	if !strings.Contains(stdout, "apps") || len(linesWith(stderr, "hearth: objects of kind HelmRelease may not be read")) != 1 {
		t.Errorf("get: %s%s", stderr, stdout)
	}
	if _, stderr = run("get", "ks"); stderr != "" {
		t.Errorf("get tells of what was not asked for: %s", stderr)
	}
	if _, stderr = run("get", "--overdue"); len(linesWith(stderr, "hearth: objects of kind Node may not be read")) != 1 {
		t.Errorf("get --overdue: %s", stderr)
	}
	if _, stderr = run("events"); len(linesWith(stderr, "hearth: objects of kind Event may not be read")) != 1 {
		t.Errorf("events: %s", stderr)
	}
	if stdout, stderr = run("tree", "ks/apps"); !strings.Contains(stdout, "Kustomization "+f.namespace+"/apps") || stderr != "" {
		t.Errorf("tree: %s%s", stderr, stdout)
	}
	if stdout, _ = run("explain", "all"); len(linesWith(stdout, "not looked at: Pod: may not be read")) != 1 {
		t.Errorf("explain: %s", stdout)
	}
	f.warned(config, observer)
}

// warned holds that the stream warns of each kind that may not be read, and
// goes on.
func (f *foreign) warned(config *rest.Config, observer client.WithWatch) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.ctx, observerWaits)
	defer cancel()
	waits := map[string]bool{"Event": true, "Pod": true, "HelmRelease": true, "HTTPRoute": true}
	told, ended := make(chan observe.Happening, 10_000), make(chan error, 1)
	go func() {
		ended <- observe.FollowHappenings(ctx, config, observer, f.namespace, func(h observe.Happening) { told <- h })
	}()
	for len(waits) > 0 {
		select {
		case h := <-told:
			if h.Reason == "NotObserved" {
				delete(waits, h.Object.Kind)
			}
		case err := <-ended:
			f.t.Fatalf("the stream ended, and has not warned of %v: %v", waits, err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		f.t.Error(err)
	}
}

// comesTrue waits for what is to come about.
func comesTrue(t *testing.T, otherwise string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(observerWaits)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatal(otherwise)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// observable makes an object of several kinds.
func (f *foreign) observable() {
	f.t.Helper()
	f.create(f.kustomization("apps"))
	h := &helmv2.HelmRelease{ObjectMeta: f.meta("immich")}
	h.Spec.Interval = metav1.Duration{Duration: time.Hour}
	h.Spec.ChartRef = &helmv2.CrossNamespaceSourceReference{Kind: "OCIRepository", Name: "app-template"}
	f.create(h)
	h.Status.LastAttemptedGeneration = 1
	h.Status.Conditions = conditionsOf("Stalled", "True", "RetriesExceeded", "Failed to install after 4 attempt(s)", "Ready", "False", "InstallFailed", "Helm install failed")
	f.status(h)
	r := &gatewayv1.HTTPRoute{ObjectMeta: f.meta("immich")}
	r.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "envoy"}}
	g := &gatewayv1.Gateway{ObjectMeta: f.meta("envoy")}
	g.Spec.GatewayClassName = "nobody"
	g.Spec.Listeners = []gatewayv1.Listener{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType}}
	p := &corev1.PersistentVolumeClaim{ObjectMeta: f.meta("data")}
	p.Annotations = map[string]string{"volume.kubernetes.io/storage-provisioner": "observe.test"}
	p.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	p.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	class := "observe-test"
	p.Spec.StorageClassName = &class
	f.create(r, g, p)
}

// streamed follows the cluster with the observer's rights, and holds that it
// tells of a kind whose definition it did not find at first.
func (f *foreign) streamed(config *rest.Config, observer client.WithWatch) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.ctx)
	stream, err := observe.NewStream(config, observer, f.namespace)
	if err != nil {
		f.t.Fatal(err)
	}
	told, ended := make(chan observe.Happening, 10_000), make(chan error, 1)
	go func() { ended <- stream.Run(ctx, func(h observe.Happening) { told <- h }) }()
	comesTrue(f.t, "the stream does not see the Kustomization", func() bool { return len(stream.Watcher().Snapshot()) > 0 })

	database := f.definedLater()
	if err := unstructured.SetNestedSlice(database.Object, []any{map[string]any{
		"type": "Ready", "status": "True", "reason": "StatefulSetReady", "message": "Running", "lastTransitionTime": "2026-01-02T03:04:05Z",
	}}, "status", "conditions"); err != nil {
		f.t.Fatal(err)
	}
	f.status(database)
	want := domain.Ref{Kind: "MariaDB", Namespace: f.namespace, Name: "db"}
	deadline := time.After(observerWaits)
	for seen := false; !seen; {
		select {
		case h := <-told:
			change, isState := h.Data.(observe.Change)
			seen = isState && h.Object == want && change.To == domain.DatabaseReady
		case <-deadline:
			f.t.Fatal("the database is not told to be Ready")
		}
	}
	if closed := stream.Watcher().Closed(); len(closed) != 1 || closed[0] != "Secret" {
		f.t.Errorf("kinds that may not be read: %v", closed)
	}
	cancel()
	if err := <-ended; err != nil {
		f.t.Error(err)
	}
	for _, o := range stream.Watcher().Snapshot() {
		if observe.Further(o.Kind) {
			f.t.Errorf("%s is in the snapshot of the model's own kinds", o.Ref)
		}
	}
	line, err := observe.ToCloudEvent(observe.TransitionHappening(observe.Transition{Ref: want, To: domain.DatabaseReady}), "test").Line()
	if err != nil || !json.Valid(line) {
		f.t.Errorf("%s: %v", line, err)
	}
}

// definedLater defines a kind of databases, and makes one.
func (f *foreign) definedLater() *unstructured.Unstructured {
	f.t.Helper()
	anything := true
	definition := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "mariadbs.k8s.mariadb.com"}}
	definition.Spec = apiextensionsv1.CustomResourceDefinitionSpec{
		Group: "k8s.mariadb.com", Scope: apiextensionsv1.NamespaceScoped,
		Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "mariadbs", Singular: "mariadb", Kind: "MariaDB", ListKind: "MariaDBList"},
		Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
			Name: "v1alpha1", Served: true, Storage: true,
			Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
			Schema:       &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: &anything}},
		}},
	}
	f.create(definition)
	f.t.Cleanup(func() {
		if err := f.client.Delete(context.Background(), definition); err != nil {
			f.t.Error(err)
		}
	})
	database := &unstructured.Unstructured{}
	database.SetAPIVersion("k8s.mariadb.com/v1alpha1")
	database.SetKind("MariaDB")
	database.SetNamespace(f.namespace)
	database.SetName("db")
	comesTrue(f.t, "the new kind is not served", func() bool { return f.client.Create(f.ctx, database) == nil })
	return database
}
