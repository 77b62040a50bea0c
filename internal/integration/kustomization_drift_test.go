package integration_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/drift"
)

// counted counts the requests that change, or would change, what the server
// has, by verb, path and whether they are dry runs.
type counted struct {
	next http.RoundTripper

	mu     sync.Mutex
	writes []string
	dryRun []string
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.Contains(r.URL.Path, "/events") && !strings.Contains(r.URL.Path, "/gitrepositories/") {
		request := r.Method + " " + r.URL.Path
		if strings.HasSuffix(r.URL.Path, "/status") && r.Body != nil {
			request += sneak(r)
		}
		c.mu.Lock()
		if r.URL.Query().Get("dryRun") != "" {
			c.dryRun = append(c.dryRun, request)
		} else {
			c.writes = append(c.writes, request)
		}
		c.mu.Unlock()
	}
	return c.next.RoundTrip(r)
}

// sneak returns what a request says, and lets it say so again.
func sneak(r *http.Request) string {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return " " + err.Error()
	}
	r.Body = io.NopCloser(strings.NewReader(string(data)))
	return " " + string(data)
}

// take returns what was counted since it was last asked.
func (c *counted) take() (writes, dryRuns []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	writes, dryRuns = c.writes, c.dryRun
	c.writes, c.dryRun = nil, nil
	return writes, dryRuns
}

func counting(config *rest.Config) (*rest.Config, *counted) {
	c := &counted{}
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { c.next = next; return c })
	return config, c
}

const driftDeployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: NS, annotations: {example.org/note: asked}}
spec:
  replicas: 2
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers:
      - {name: side, image: side:1}
      - {name: app, image: app:1, env: [{name: A, value: "1"}]}
`

// await waits for something to be so.
func (g *gitops) await(what string, is func() bool) {
	g.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			g.t.Fatalf("still not so: %s", what)
		}
	}
}

// reconcile asks for a reconcile and waits until it was done.
func (g *gitops) reconcile(name string) *kustomizev1.Kustomization {
	g.t.Helper()
	k := g.get(name)
	patch := client.MergeFrom(k.DeepCopy())
	token := fmt.Sprintf("%d", time.Now().UnixNano())
	k.Annotations = maps.Clone(k.Annotations)
	if k.Annotations == nil {
		k.Annotations = map[string]string{}
	}
	k.Annotations[meta.ReconcileRequestAnnotation] = token
	if err := g.client.Patch(g.t.Context(), k, patch); err != nil {
		g.t.Fatal(err)
	}
	g.await("reconciled on demand: "+name, func() bool {
		k = g.get(name)
		return k.Status.LastHandledReconcileAt == token
	})
	return k
}

// toldOf waits for an event about a Kustomization that says something.
func (g *gitops) toldOf(name, text string) {
	g.t.Helper()
	g.await(fmt.Sprintf("an event of %s that says %q", name, text), func() bool {
		return slices.ContainsFunc(g.events(name), func(e string) bool { return strings.Contains(e, text) })
	})
}

func (g *gitops) patch(obj client.Object, manager, patch string, kind apitypes.PatchType) {
	g.t.Helper()
	if err := g.client.Patch(g.t.Context(), obj, client.RawPatch(kind, []byte(patch)), client.FieldOwner(manager)); err != nil {
		g.t.Fatal(err)
	}
}

func TestKustomizationTellsDrift(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{
		"apps/app.yaml":    driftDeployment,
		"apps/a.yaml":      configMap("a", "1"),
		"apps/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: key, namespace: NS}\nstringData: {PASSWORD: from-git}\n",
	})
	g.kustomization("apps", "{}")
	g.ready("apps")

	g.patch(g.deployment("app"), "kubectl-scale", `{"spec":{"replicas":5}}`, apitypes.MergePatchType)
	g.patch(g.deployment("app"), "kubectl-edit", `{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"app:hacked"}]}}}}`, apitypes.StrategicMergePatchType)
	g.patch(g.deployment("app"), "kubectl-annotate", `{"metadata":{"annotations":{"example.org/mine":"by hand"}}}`, apitypes.MergePatchType)
	g.patch(g.deployment("app"), "keeper", `{"metadata":{"annotations":{"example.org/other":"kept"}}}`, apitypes.MergePatchType)
	g.patch(g.configMap("a"), "hand", `{"data":{"value":null}}`, apitypes.MergePatchType)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: g.namespace, Name: "key"}}
	g.patch(secret, "intruder", `{"stringData":{"PASSWORD":"hunter2"}}`, apitypes.MergePatchType)
	g.reconcile("apps")

	ns := g.namespace
	for _, text := range []string{
		"Deployment " + ns + "/app corrected: ",
		"spec.replicas was 5 (set by kubectl-scale), is 2",
		"spec.template.spec.containers[name=app].image was app:hacked (set by kubectl-edit), is app:1",
		`metadata.annotations."example.org/mine" was "by hand" (set by kubectl-annotate), is removed`,
		"ConfigMap " + ns + "/a corrected: data.value was missing, is 1",
		"Secret " + ns + "/key corrected: data.PASSWORD (changed by intruder)",
	} {
		g.toldOf("apps", text)
	}
	if d := g.deployment("app"); *d.Spec.Replicas != 2 || d.Spec.Template.Spec.Containers[1].Image != "app:1" || d.Annotations["example.org/mine"] != "" {
		t.Errorf("the Deployment is not as Git asks for: %+v", d)
	}
	if got := g.deployment("app").Annotations["example.org/other"]; got != "kept" {
		t.Errorf("what others own is %q", got)
	}
	for _, e := range g.events("apps") {
		if strings.Contains(e, "hunter2") || strings.Contains(e, "aHVudGVyMg") || strings.Contains(e, "from-git") || strings.Contains(e, "example.org/other") {
			t.Errorf("an event tells what it may not, or what is no drift: %s", e)
		}
	}

	// A deleted object comes back, and that is told.
	if err := g.client.Delete(t.Context(), g.configMap("a")); err != nil {
		t.Fatal(err)
	}
	g.reconcile("apps")
	g.toldOf("apps", "DriftCorrected: ConfigMap "+ns+"/a created again: it was deleted")
}

// TestKustomizationChangeIsNoDrift changes Git, and fields that Git says
// nothing about.
func TestKustomizationChangeIsNoDrift(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{
		"apps/app.yaml": strings.Replace(driftDeployment, "  replicas: 2\n", "", 1),
		"apps/a.yaml":   configMap("a", "1"),
	})
	g.apply(strings.ReplaceAll(configMap("a", "before Flux"), "NS", g.namespace))
	g.kustomization("apps", "{ignore: [{paths: [/spec/paused], target: {kind: Deployment}}]}")
	first := g.ready("apps")
	g.patch(g.deployment("app"), "autoscaler", `{"spec":{"replicas":7}}`, apitypes.MergePatchType)
	g.reconcile("apps")
	g.push(map[string]string{"apps/a.yaml": configMap("a", "2"), "apps/b.yaml": configMap("b", "1")})
	g.readyAgain("apps", first.Status.LastAppliedRevision)
	if got := *g.deployment("app").Spec.Replicas; got != 7 {
		t.Errorf("replicas, which Git leaves to others, are %d", got)
	}
	if got := g.configMap("a").Data["value"]; got != "2" {
		t.Errorf("the change has not arrived: %q", got)
	}
	g.toldOf("apps", "ConfigMap/"+g.namespace+"/b created")
	for _, e := range g.events("apps") {
		if strings.HasPrefix(e, "DriftCorrected") {
			t.Errorf("what is no drift is told as one: %s", e)
		}
	}
}

func TestKustomizationIgnoreRules(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/app.yaml": driftDeployment})
	g.kustomization("apps", "{ignore: [{paths: [/spec/replicas], target: {kind: Deployment}}]}")
	g.ready("apps")
	g.patch(g.deployment("app"), "autoscaler", `{"spec":{"replicas":7}}`, apitypes.MergePatchType)
	g.patch(g.deployment("app"), "hand", `{"metadata":{"annotations":{"example.org/note":"changed"}}}`, apitypes.MergePatchType)
	g.reconcile("apps")
	g.toldOf("apps", `metadata.annotations."example.org/note" was changed (set by hand), is asked`)
	if got := *g.deployment("app").Spec.Replicas; got != 7 {
		t.Errorf("an ignored field is %d", got)
	}
	// What is ignored no longer is corrected, though Git asks for the same.
	g.kustomization("apps", "{}")
	g.await("replicas as in Git", func() bool { return *g.deployment("app").Spec.Replicas == 2 })
}

// TestKustomizationAsksOnlyAboutWhatChanged counts requests: an unchanged
// revision is looked over without a dry run, and after a restart, when nothing
// is remembered, with dry runs and still without a write.
func TestKustomizationAsksOnlyAboutWhatChanged(t *testing.T) {
	t.Parallel()
	g := newGitOps(t, map[string]string{
		"apps/app.yaml": driftDeployment, "apps/a.yaml": configMap("a", "1"), "apps/b.yaml": configMap("b", "1"),
		"apps/crd.yaml": definition("counted.example.org", "Widget"),
		"apps/w.yaml":   "apiVersion: counted.example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: NS}\nspec: {size: 1}\n",
		"apps/s.yaml":   "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: NS}\nspec: {selector: {a: b}, ports: [{port: 80}]}\n",
	})
	g.dropDefinition("widgets.counted.example.org")
	config, requests := counting(cluster(t).Config())
	stop := g.run(config)
	g.kustomization("apps", "{interval: 1s, wait: true, timeout: 1m, healthCheckExprs: [{apiVersion: apps/v1, kind: Deployment, current: 'true'}]}")
	g.ready("apps")

	// What controllers do to new objects comes to an end.
	g.await("a reconcile that asks about no object", func() bool {
		requests.take()
		g.reconcile("apps")
		_, asked := requests.take()
		return len(asked) == 0
	})
	status := client.RawPatch(apitypes.MergePatchType, []byte(`{"status":{"replicas":3,"updatedReplicas":1}}`))
	if err := g.client.Status().Patch(t.Context(), g.deployment("app"), status, client.FieldOwner("kubelet")); err != nil {
		t.Fatal(err)
	}
	// An interval's look is seen by what it corrects, and by nothing else.
	b := "PATCH /api/v1/namespaces/" + g.namespace + "/configmaps/b"
	correct := func() (writes, asked []string) {
		t.Helper()
		requests.take()
		g.patch(g.configMap("b"), "hand", `{"data":{"value":"by hand"}}`, apitypes.MergePatchType)
		g.await("a manual change is undone", func() bool { return g.configMap("b").Data["value"] == "1" })
		return requests.take()
	}
	writes, asked := correct()
	if diff := cmp.Diff([]string{b}, writes); diff != "" {
		t.Errorf("to correct one object, written was (-want +got):\n%s", diff)
	}
	if others := slices.DeleteFunc(asked, func(s string) bool { return s == b }); len(others) > 0 {
		t.Errorf("asked about objects that have not changed: %q", others)
	}

	stop()
	g.run(config)
	writes, asked = correct()
	if diff := cmp.Diff([]string{b}, writes); diff != "" {
		t.Errorf("after a restart, written was (-want +got):\n%s", diff)
	}
	if len(asked) < 6 {
		t.Errorf("after a restart, when nothing is remembered, asked was only %q", asked)
	}
}

// TestDriftIsFound compares a cluster with the tree before anything undoes it.
func TestDriftIsFound(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{
		"apps/app.yaml":    driftDeployment,
		"apps/a.yaml":      "# the first line\n" + configMap("a", "${WHAT}"),
		"apps/b.yaml":      configMap("b", "${PASSWORD}"),
		"apps/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: key, namespace: NS}\nstringData: {PASSWORD: from-git}\n",
		"apps/left.yaml":   strings.Replace(configMap("left", "1"), "  namespace", "  annotations: {kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}\n  namespace", 1),
	})
	g.apply(strings.ReplaceAll("{apiVersion: v1, kind: Secret, metadata: {name: vars, namespace: NS}, stringData: {PASSWORD: sesame}}", "NS", g.namespace))
	g.kustomization("apps", "{postBuild: {substitute: {WHAT: asked}, substituteFrom: [{kind: Secret, name: vars}]}, ignore: [{paths: [/spec/paused], target: {kind: Deployment}}]}")
	g.kustomization("others", "{sourceRef: {kind: OCIRepository, name: other}}")
	g.ready("apps")
	request := drift.Request{Root: g.tree, Namespace: g.namespace, Sources: []drift.Source{{Kind: "GitRepository", Namespace: g.namespace, Name: "home"}}}
	find := func(names ...drift.Name) *drift.Report {
		t.Helper()
		request := request
		request.Names = names
		report, err := drift.Find(t.Context(), cluster(t).Config(), request)
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	if r := find(); len(r.Objects) > 0 || r.Compared != 5 {
		t.Errorf("without drift: %+v", r)
	}

	g.patch(g.deployment("app"), "kubectl-scale", `{"spec":{"replicas":5,"paused":true}}`, apitypes.MergePatchType)
	g.patch(g.deployment("app"), "kubectl-annotate", `{"metadata":{"annotations":{"example.org/mine":"by hand"}}}`, apitypes.MergePatchType)
	g.patch(g.deployment("app"), "keeper", `{"metadata":{"annotations":{"example.org/other":"kept"}}}`, apitypes.MergePatchType)
	g.patch(g.configMap("b"), "hand", `{"data":{"value":"opened"}}`, apitypes.MergePatchType)
	g.patch(g.configMap("left"), "hand", `{"data":{"value":"left alone"}}`, apitypes.MergePatchType)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: g.namespace, Name: "key"}}
	g.patch(secret, "intruder", `{"stringData":{"PASSWORD":"hunter2"}}`, apitypes.MergePatchType)
	if err := g.client.Delete(t.Context(), g.configMap("a")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range find().Objects {
		if o.Missing {
			got = append(got, fmt.Sprintf("%s missing, %s", o.Ref.Kind+" "+o.Ref.Name, o.Place))
		}
		for i, f := range o.Fields {
			got = append(got, fmt.Sprintf("%s %s: %v, asked %v, by %s, %s", o.Ref.Kind, f.Path, f.Live, f.Asked, f.Manager, o.Places[i]))
		}
	}
	slices.Sort(got)
	want := []string{
		"ConfigMap a missing, apps/a.yaml:2",
		"ConfigMap data.value: <nil>, asked <nil>, by hand, apps/b.yaml:7",
		`Deployment metadata.annotations."example.org/mine": by hand, asked <nil>, by kubectl-annotate, apps/app.yaml:3`,
		"Deployment spec.replicas: 5, asked 2, by kubectl-scale, apps/app.yaml:5",
		"Secret data.PASSWORD: <nil>, asked <nil>, by intruder, apps/secret.yaml:1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	if r := find(drift.Name{Kind: "deploy", Name: "app"}); len(r.Objects) != 1 || r.Compared != 1 {
		t.Errorf("of one object: %+v", r)
	}
	if r := find(drift.Name{Kind: "ks", Name: "apps"}); len(r.Objects) != 4 {
		t.Errorf("of one Kustomization: %+v", r)
	}
	if r := find(); !slices.ContainsFunc(r.Apart, func(a drift.Apart) bool { return a.Kustomization == g.namespace+"/others" }) {
		t.Errorf("what cannot be compared is not told: %+v", r.Apart)
	}
	request.Names = []drift.Name{{Kind: "cm", Name: "nothing"}}
	var unknown *drift.UnknownNameError
	if _, err := drift.Find(t.Context(), cluster(t).Config(), request); !errors.As(err, &unknown) {
		t.Errorf("a name that nothing has: %v", err)
	}
	if got := *g.deployment("app").Spec.Replicas; got != 5 {
		t.Errorf("to look changed something: %d replicas", got)
	}
}

// TestKustomizationRebuildsWithNewVariables changes what a build reads beside
// its source: the next look builds anew though the revision is the same.
func TestKustomizationRebuildsWithNewVariables(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "${WHAT}"), "apps/b.yaml": configMap("b", "1")})
	vars := func(value string) {
		g.apply(strings.ReplaceAll("{apiVersion: v1, kind: ConfigMap, metadata: {name: vars, namespace: NS}, data: {WHAT: "+value+"}}", "NS", g.namespace))
	}
	vars("one")
	g.kustomization("apps", "{interval: 1s, postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}}")
	g.ready("apps")
	g.patch(g.configMap("b"), "hand", `{"data":{"value":"by hand"}}`, apitypes.MergePatchType)
	g.await("looked over", func() bool { return g.configMap("b").Data["value"] == "1" })
	vars("two")
	g.await("built with the new variable", func() bool { return g.configMap("a").Data["value"] == "two" })
}
