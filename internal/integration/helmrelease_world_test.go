package integration_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"helm.sh/helm/v4/pkg/action"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// rich is a chart with most of what charts have: a library, subcharts with a
// condition, globals, a schema, a CRD, hooks and tests. Its hooks are
// ConfigMaps, which are done as soon as they are there.
func rich(group string) files {
	return files{
		"Chart.yaml": "apiVersion: v2\nname: rich\nversion: 1.0.0\nappVersion: \"7\"\ndependencies:\n" +
			"- {name: lib, version: 0.1.0}\n- {name: db, version: 0.2.0, condition: db.enabled}\n- {name: cache, version: 0.3.0, condition: cache.enabled}\n",
		"values.yaml":                      "greeting: hello\nreplicas: 1\ndb: {enabled: true, engine: sqlite}\ncache: {enabled: false}\nglobal: {zone: home}\n",
		"values.schema.json":               `{"type":"object","properties":{"replicas":{"type":"integer","minimum":1}}}`,
		"crds/crd.yaml":                    definitionOf(group, "v1"),
		"charts/lib/Chart.yaml":            "apiVersion: v2\nname: lib\nversion: 0.1.0\ntype: library\n",
		"charts/lib/templates/_labels.tpl": `{{ define "lib.labels" }}zone: {{ .Values.global.zone }}{{ end }}`,
		"charts/db/Chart.yaml":             "apiVersion: v2\nname: db\nversion: 0.2.0\n",
		"charts/db/templates/db.yaml":      configOf("db", `engine: {{ required "an engine" .Values.engine | quote }}, zone: {{ .Values.global.zone | quote }}`, ""),
		"charts/cache/Chart.yaml":          "apiVersion: v2\nname: cache\nversion: 0.3.0\n",
		"charts/cache/templates/c.yaml":    configOf("cache", "a: b", ""),
		"templates/app.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  labels: { {{- include \"lib.labels\" . -}} }\n" +
			"data:\n  greeting: {{ .Values.greeting | quote }}\n  replicas: {{ .Values.replicas | quote }}\n  revision: {{ .Release.Revision | quote }}\n",
		"templates/thing.yaml": fmt.Sprintf("{{ if .Capabilities.APIVersions.Has \"%[1]s/v1/Thing\" }}\napiVersion: %[1]s/v1\nkind: Thing\nmetadata: {name: {{ .Release.Name }}}\n{{ end }}\n", group),
		"templates/hooks.yaml": configOf("pre", "a: b", "helm.sh/hook: pre-install, helm.sh/hook-delete-policy: before-hook-creation") + "---\n" +
			configOf("post", "a: b", "helm.sh/hook: post-upgrade, helm.sh/hook-delete-policy: before-hook-creation"),
		"templates/tests.yaml": configOf("test-one", "a: b", "helm.sh/hook: test, helm.sh/hook-delete-policy: before-hook-creation") + "---\n" +
			configOf("test-two", "a: b", "helm.sh/hook: test, helm.sh/hook-delete-policy: before-hook-creation"),
	}
}

// configOf is the template of a ConfigMap named after its release.
func configOf(suffix, data, annotations string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-%s\n  annotations: {%s}\ndata: {%s}\n", suffix, annotations, data)
}

// definitionOf defines the kind Thing of a group.
func definitionOf(group, version string) string {
	return fmt.Sprintf(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.%[1]s, annotations: {version: %[2]s}}
spec:
  group: %[1]s
  scope: Namespaced
  names: {kind: Thing, listKind: ThingList, plural: things, singular: thing}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`, group, version)
}

// definedVersion returns which version of a group's definition is there, or
// nothing. It is deleted when the test ends.
func (r *releases) definedVersion(group string) string {
	r.t.Helper()
	crd := &metav1.PartialObjectMetadata{}
	crd.SetGroupVersionKind(crdKind)
	err := r.client.Get(context.Background(), client.ObjectKey{Name: "things." + group}, crd)
	if apierrors.IsNotFound(err) {
		return ""
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := r.client.Delete(context.Background(), crd); client.IgnoreNotFound(err) != nil {
			r.t.Error(err)
		}
	})
	return crd.Annotations["version"]
}

var crdKind = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}

// request asks for a reconciliation, and returns once it was answered.
func (r *releases) request(hr *helmv2.HelmRelease, annotations ...string) {
	r.t.Helper()
	token := fmt.Sprint(time.Now().UnixNano())
	r.change(hr, func() {
		if hr.Annotations == nil {
			hr.Annotations = map[string]string{}
		}
		for _, key := range append(annotations, meta.ReconcileRequestAnnotation) {
			hr.Annotations[key] = token
		}
	})
	r.await(hr, patience, "reconciled on request", func() bool { return hr.Status.LastHandledReconcileAt == token })
}

// failing waits until a HelmRelease's Ready condition is false for a reason, and
// returns its message.
func (r *releases) failing(hr *helmv2.HelmRelease, reason string) string {
	r.t.Helper()
	r.await(hr, patience, "failing with "+reason, func() bool {
		return conditions.IsFalse(hr, meta.ReadyCondition) && conditions.GetReason(hr, meta.ReadyCondition) == reason &&
			conditions.GetObservedGeneration(hr, meta.ReadyCondition) == hr.Generation
	})
	return conditions.GetMessage(hr, meta.ReadyCondition)
}

// events returns the events of a reason about a HelmRelease.
func (r *releases) events(hr *helmv2.HelmRelease, reason string) []corev1.Event {
	r.t.Helper()
	var list corev1.EventList
	if err := r.client.List(context.Background(), &list, client.InNamespace(r.namespace)); err != nil {
		r.t.Fatal(err)
	}
	return slices.DeleteFunc(list.Items, func(e corev1.Event) bool { return e.InvolvedObject.Name != hr.Name || e.Reason != reason })
}

// event waits for an event about a HelmRelease.
func (r *releases) event(hr *helmv2.HelmRelease, reason string) corev1.Event {
	r.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if found := r.events(hr, reason); len(found) > 0 {
			return found[0]
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("no event %s of %s", reason, hr.Name)
		}
	}
}

// told waits until the events of a reason, of which there may be several, say
// all that is wanted together, and returns what they say.
func (r *releases) told(hr *helmv2.HelmRelease, reason string, want ...string) string {
	r.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		var said strings.Builder
		for _, e := range r.events(hr, reason) {
			said.WriteString(e.Message + "\n")
		}
		missing := slices.DeleteFunc(slices.Clone(want), func(text string) bool { return strings.Contains(said.String(), text) })
		if len(missing) == 0 {
			return said.String()
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("the events %s of %s do not say %q:\n%s", reason, hr.Name, missing, said.String())
		}
	}
}

// object reads an object, and reports whether it is there.
func (r *releases) object(obj client.Object, name string) bool {
	r.t.Helper()
	err := r.client.Get(context.Background(), client.ObjectKey{Namespace: r.namespace, Name: name}, obj)
	if client.IgnoreNotFound(err) != nil {
		r.t.Fatal(err)
	}
	return err == nil
}

// edit changes a ConfigMap as somebody with kubectl would.
func (r *releases) edit(name string, change func(*corev1.ConfigMap)) {
	r.t.Helper()
	config := &corev1.ConfigMap{}
	if !r.object(config, name) {
		r.t.Fatalf("there is no ConfigMap %s", name)
	}
	change(config)
	if err := r.client.Update(context.Background(), config, client.FieldOwner("kubectl-edit")); err != nil {
		r.t.Fatal(err)
	}
}

// revision returns what the storage has of a release's last revision.
func (r *releases) revision(name string) *releasev1.Release {
	r.t.Helper()
	rel := r.list()[name]
	if rel == nil {
		r.t.Fatalf("helm list does not show %s", name)
	}
	return rel
}

// helmCLI is Helm with a client of its own, as its command has one.
func (r *releases) helmCLI() *action.Configuration {
	r.t.Helper()
	flags := genericclioptions.NewConfigFlags(false)
	path := cluster(r.t).KubeconfigPath()
	flags.KubeConfig = &path
	flags.Namespace = &r.namespace
	cfg := action.NewConfiguration()
	if err := cfg.Init(flags, r.namespace, "secret"); err != nil {
		r.t.Fatal(err)
	}
	return cfg
}

// runs counts how often objects of a name were made, by watching.
type runs struct {
	mu   sync.Mutex
	seen map[string]map[types.UID]bool
}

// watchRuns counts ConfigMaps and Jobs of the namespace.
func (r *releases) watchRuns() *runs {
	r.t.Helper()
	clientset, err := kubernetes.NewForConfig(cluster(r.t).Config())
	if err != nil {
		r.t.Fatal(err)
	}
	counted := &runs{seen: map[string]map[types.UID]bool{}}
	configs, err := clientset.CoreV1().ConfigMaps(r.namespace).Watch(context.Background(), metav1.ListOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	jobs, err := clientset.BatchV1().Jobs(r.namespace).Watch(context.Background(), metav1.ListOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, w := range []watch.Interface{configs, jobs} {
		r.t.Cleanup(w.Stop)
		go counted.follow(w)
	}
	return counted
}

func (c *runs) follow(w watch.Interface) {
	for e := range w.ResultChan() {
		obj, ok := e.Object.(metav1.Object)
		if !ok || e.Type != watch.Added {
			continue
		}
		c.mu.Lock()
		if c.seen[obj.GetName()] == nil {
			c.seen[obj.GetName()] = map[types.UID]bool{}
		}
		c.seen[obj.GetName()][obj.GetUID()] = true
		c.mu.Unlock()
	}
}

func (c *runs) of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen[name])
}

// settles waits until a count is reached; more than it fails.
func (c *runs) settles(t *testing.T, name string, want int) {
	t.Helper()
	for deadline := time.Now().Add(patience); c.of(name) < want && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	if got := c.of(name); got != want {
		t.Errorf("%s was made %d times, not %d", name, got, want)
	}
}

// inventoryOf lists a HelmRelease's inventory as Kind/name.
func inventoryOf(hr *helmv2.HelmRelease) []string {
	var names []string
	if hr.Status.Inventory != nil {
		for _, e := range hr.Status.Inventory.Entries {
			parts := strings.Split(e.ID, "_")
			names = append(names, parts[len(parts)-1]+"/"+parts[1])
		}
	}
	slices.Sort(names)
	return names
}
