package integration_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	apiacl "github.com/fluxcd/pkg/apis/acl"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/kustomization"
)

// eventually waits for something that no Kustomization tells.
func (g *gitops) eventually(what string, is func() bool) {
	g.t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			g.t.Fatal(what)
		}
	}
}

// TestKustomizationSpecFields lays all that a spec can over one folder, and
// looks at what the server has.
func TestKustomizationSpecFields(t *testing.T) {
	t.Parallel()
	deployment := func(name, label string) string {
		return fmt.Sprintf("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s, labels: {patched: %q}, annotations: {patched: %q}}\nspec:\n  selector: {matchLabels: {app: %[1]s}}\n  template:\n    metadata: {labels: {app: %[1]s}}\n    spec: {containers: [{name: c, image: registry.example.org/old:v1}, {name: d, image: registry.example.org/digested}]}\n", name, label, label)
	}
	g := startGitOps(t, map[string]string{
		"apps/a.yaml":                     deployment("a", "yes"),
		"apps/b.yaml":                     deployment("b", "no"),
		"component/kustomization.yaml":    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [c.yaml]\n",
		"component/c.yaml":                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-component}\n",
		"apps/substituted/ignored.yaml":   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: verbatim, labels: {kustomize.toolkit.fluxcd.io/substitute: disabled}}\ndata: {value: '${WHO}'}\n",
		"apps/substituted/annotated.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: verbatim2, annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}\ndata: {value: '${WHO}'}\n",
		"apps/substituted/filled.yaml":    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: filled}\ndata: {value: '${WHO}', fallback: '${NOBODY:=somebody}'}\n",
	})
	const digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	patch := func(target, name string) string {
		return fmt.Sprintf("{target: {%s}, patch: '[{\"op\": \"add\", \"path\": \"/metadata/annotations/by-%s\", \"value\": \"seen\"}]'}", target, name)
	}
	g.kustomization("apps", `{
		targetNamespace: `+g.namespace+`, namePrefix: pre-, nameSuffix: -post,
		buildMetadata: [originAnnotations],
		commonMetadata: {labels: {team: home}, annotations: {note: common}},
		components: [../component, ../nowhere], ignoreMissingComponents: true,
		images: [{name: registry.example.org/old, newName: registry.example.org/new, newTag: v2}, {name: registry.example.org/digested, digest: "`+digest+`"}],
		patches: [
			`+patch("kind: Deployment, name: a", "name")+`,
			`+patch("group: apps, version: v1, kind: Deployment, labelSelector: patched=yes", "label")+`,
			`+patch("kind: Deployment, annotationSelector: patched=yes", "annotation")+`,
			`+patch("kind: Deployment, namespace: elsewhere", "namespace")+`,
			`+patch("group: other, kind: Deployment", "group")+`,
			`+patch("version: v2, kind: Deployment", "version")+`],
		postBuild: {substitute: {WHO: me}},
	}`)
	k := g.ready("apps")

	for name, want := range map[string][]string{"pre-a-post": {"by-annotation", "by-label", "by-name"}, "pre-b-post": nil} {
		annotations := slices.DeleteFunc(slices.Sorted(maps.Keys(g.deployment(name).Annotations)), func(key string) bool { return !strings.HasPrefix(key, "by-") })
		if !slices.Equal(annotations, want) {
			t.Errorf("%s is patched %v, want %v", name, annotations, want)
		}
		if diff := cmp.Diff([]string{"registry.example.org/new:v2", "registry.example.org/digested@" + digest}, images(g.deployment(name))); diff != "" {
			t.Errorf("%s: images (-want +got):\n%s", name, diff)
		}
	}
	component := g.configMap("pre-from-component-post")
	if component.Labels["team"] != "home" || component.Annotations["note"] != "common" || component.Annotations["config.kubernetes.io/origin"] == "" {
		t.Errorf("the component's object carries %v and %v", component.Labels, component.Annotations)
	}
	for name, want := range map[string]string{"pre-verbatim-post": "${WHO}", "pre-verbatim2-post": "${WHO}", "pre-filled-post": "me"} {
		if value := g.configMap(name).Data["value"]; value != want {
			t.Errorf("%s has %q, want %q", name, value, want)
		}
	}
	if len(k.Status.Inventory.Entries) != 6 {
		t.Errorf("the inventory is %v", k.Status.Inventory.Entries)
	}
	g.kustomization("apps", `{targetNamespace: `+g.namespace+`, components: [../nowhere], ignoreMissingComponents: false}`)
	g.failed("apps", meta.BuildFailedReason, "nowhere")
}

// TestKustomizationSubstituteStrategy fills defaults in where there are no
// variables at all only if it is asked to.
func TestKustomizationSubstituteStrategy(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "${NONE:=default}")})
	g.kustomization("apps", "{postBuild: {substituteStrategy: WithVariables}}")
	first := g.ready("apps")
	if got := g.configMap("a").Data["value"]; got != "${NONE:=default}" {
		t.Errorf("without variables it has %q", got)
	}
	g.kustomization("apps", "{postBuild: {substituteStrategy: Always}}")
	g.until("apps", "ready with another spec", func(k *kustomizev1.Kustomization) bool {
		return conditions.IsReady(k) && k.Status.ObservedGeneration > first.Status.ObservedGeneration
	})
	if got := g.configMap("a").Data["value"]; got != "default" {
		t.Errorf("asked to always substitute it has %q", got)
	}
}

// TestKustomizationForce makes an object anew whose fields cannot change, where
// the spec or the object says so.
func TestKustomizationForce(t *testing.T) {
	t.Parallel()
	immutable := func(name, value, annotations string) string {
		return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nimmutable: true\nmetadata: {name: %s, namespace: NS, annotations: {%s}}\ndata: {value: %q}\n", name, annotations, value)
	}
	g := startGitOps(t, map[string]string{
		"plain/a.yaml": immutable("plain", "1", ""), "forced/a.yaml": immutable("forced", "1", ""),
		"own/a.yaml": immutable("own", "1", "kustomize.toolkit.fluxcd.io/force: enabled"),
	})
	g.kustomization("plain", "{}")
	g.kustomization("forced", "{force: true}")
	g.kustomization("own", "{}")
	uids, revisions := map[string]apitypes.UID{}, map[string]string{}
	for _, name := range []string{"plain", "forced", "own"} {
		revisions[name] = g.ready(name).Status.LastAppliedRevision
		uids[name] = g.configMap(name).UID
	}
	g.push(map[string]string{
		"plain/a.yaml": immutable("plain", "2", ""), "forced/a.yaml": immutable("forced", "2", ""),
		"own/a.yaml": immutable("own", "2", "kustomize.toolkit.fluxcd.io/force: enabled"),
	})
	g.failed("plain", meta.ReconciliationFailedReason, "immutable")
	if cm := g.configMap("plain"); cm.UID != uids["plain"] || cm.Data["value"] != "1" {
		t.Errorf("without force it became %v", cm.Data)
	}
	for _, name := range []string{"forced", "own"} {
		g.readyAgain(name, revisions[name])
		if cm := g.configMap(name); cm.UID == uids[name] || cm.Data["value"] != "2" {
			t.Errorf("%s was not made anew: %v", name, cm.Data)
		}
	}
}

// TestKustomizationObjectAnnotations leaves objects alone that say so.
func TestKustomizationObjectAnnotations(t *testing.T) {
	t.Parallel()
	annotated := func(name, value, annotation string) string {
		return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: NS, annotations: {kustomize.toolkit.fluxcd.io/%s}}\ndata: {value: %q}\n", name, annotation, value)
	}
	files := func(value string) map[string]string {
		return map[string]string{
			"apps/a.yaml": configMap("usual", value),
			"apps/b.yaml": annotated("never", value, "reconcile: disabled"),
			"apps/c.yaml": annotated("ignored", value, "ssa: Ignore"),
			"apps/d.yaml": annotated("once", value, "ssa: IfNotPresent"),
			"apps/e.yaml": annotated("merged", value, "ssa: Merge"),
		}
	}
	g := startGitOps(t, files("1"))
	g.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: ignored, namespace: " + g.namespace + ", annotations: {kustomize.toolkit.fluxcd.io/ssa: Ignore}}, data: {value: mine}}")
	g.kustomization("apps", "{}")
	first := g.ready("apps")
	for name, want := range map[string]string{"usual": "1", "ignored": "mine", "once": "1", "merged": "1"} {
		if got := g.configMap(name).Data["value"]; got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	if g.exists("never") {
		t.Error("an object was created that is not to be reconciled")
	}
	// What kubectl adds is kept where objects are to be merged, and goes elsewhere.
	for _, name := range []string{"usual", "merged"} {
		cm := g.configMap(name)
		cm.Data["by-hand"] = "x"
		if err := g.client.Update(t.Context(), cm, client.FieldOwner("kubectl")); err != nil {
			t.Fatal(err)
		}
	}
	g.push(files("2"))
	g.readyAgain("apps", first.Status.LastAppliedRevision)
	for name, want := range map[string]map[string]string{
		"usual": {"value": "2"}, "ignored": {"value": "mine"}, "once": {"value": "1"}, "merged": {"value": "2", "by-hand": "x"},
	} {
		if diff := cmp.Diff(want, g.configMap(name).Data); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// What is in the cluster and not to be reconciled is not pruned either.
	cm := g.configMap("usual")
	cm.Annotations = map[string]string{"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}
	if err := g.client.Update(t.Context(), cm, client.FieldOwner("test")); err != nil {
		t.Fatal(err)
	}
	second := g.get("apps").Status.LastAppliedRevision
	g.push(map[string]string{"apps/a.yaml": "", "apps/e.yaml": ""})
	g.readyAgain("apps", second)
	g.gone("merged")
	if !g.exists("usual") {
		t.Error("an object that is not to be reconciled was pruned")
	}
}

// TestKustomizationCrossNamespaceSource follows a source of another namespace,
// and refuses it where that is not allowed.
func TestKustomizationCrossNamespaceSource(t *testing.T) {
	t.Parallel()
	for _, refused := range []bool{false, true} {
		t.Run(fmt.Sprintf("refused=%v", refused), func(t *testing.T) {
			t.Parallel()
			g := newGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
			g.others = []string{namespace(t)}
			g.run(cluster(t).Config(), func(o *kustomization.Options) { o.NoCrossNamespaceRefs = refused })
			g.apply(fmt.Sprintf("{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: theirs, namespace: %s}, spec: {url: %q, interval: 1h}}", g.others[0], gitopsURL))
			// Naming one's own namespace crosses no border.
			g.kustomization("own", "{path: ./apps, sourceRef: {apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, name: home, namespace: "+g.namespace+"}}")
			g.ready("own")
			g.kustomization("apps", "{sourceRef: {kind: GitRepository, name: theirs, namespace: "+g.others[0]+"}}")
			if !refused {
				g.ready("apps")
				return
			}
			k := g.failed("apps", apiacl.AccessDeniedReason, "can't access 'GitRepository/"+g.others[0]+"/theirs', cross-namespace references have been blocked")
			if !conditions.IsStalled(k) {
				t.Errorf("a refused source does not stall: %+v", k.Status.Conditions)
			}
		})
	}
}

// TestKustomizationOriginRevision tells which commit an artifact was made of.
func TestKustomizationOriginRevision(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
	g.kustomization("first", "{path: ./apps}")
	g.ready("first")
	// An artifact that somebody else publishes: the same tree, and its origin.
	repository := &sourcev1.GitRepository{}
	if err := g.client.Get(t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: "home"}, repository); err != nil {
		t.Fatal(err)
	}
	artifact := repository.Status.Artifact.DeepCopy()
	artifact.Revision, artifact.Metadata = "v1.0.0@"+artifact.Digest, map[string]string{"org.opencontainers.image.revision": "main@sha1:1234"}
	external := &sourcev1.ExternalArtifact{ObjectMeta: metav1.ObjectMeta{Name: "made", Namespace: g.namespace}}
	if err := g.client.Create(t.Context(), external); err != nil {
		t.Fatal(err)
	}
	external.Status.Artifact = artifact
	conditions.MarkTrue(external, meta.ReadyCondition, meta.SucceededReason, "made")
	if err := g.client.Status().Update(t.Context(), external); err != nil {
		t.Fatal(err)
	}
	g.kustomization("second", "{path: ./apps, sourceRef: {kind: ExternalArtifact, name: made}}")
	k := g.ready("second")
	if k.Status.LastAppliedOriginRevision != "main@sha1:1234" || k.Status.LastAppliedRevision != artifact.Revision {
		t.Errorf("applied %s of %s", k.Status.LastAppliedRevision, k.Status.LastAppliedOriginRevision)
	}
	want := map[string]string{"revision": artifact.Revision, "originRevision": "main@sha1:1234"}
	if diff := cmp.Diff(want, k.Status.History.Latest().Metadata); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	g.eventually("no event names the origin", func() bool {
		var list corev1.EventList
		if err := g.client.List(t.Context(), &list, client.InNamespace(g.namespace)); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(list.Items, func(e corev1.Event) bool {
			return e.InvolvedObject.Name == "second" && e.Annotations["kustomize.toolkit.fluxcd.io/originRevision"] == "main@sha1:1234"
		})
	})
}

// TestKustomizationHistory counts reconciles by what was built.
func TestKustomizationHistory(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
	g.kustomization("apps", "{}")
	first := g.ready("apps")
	g.push(map[string]string{"apps/a.yaml": configMap("a", "2")})
	second := g.readyAgain("apps", first.Status.LastAppliedRevision)
	g.push(map[string]string{"apps/README.md": "nothing that is built\n"})
	third := g.readyAgain("apps", second.Status.LastAppliedRevision)
	if len(third.Status.History) != 2 {
		t.Fatalf("the history is %+v", third.Status.History)
	}
	latest, before := third.Status.History[0], third.Status.History[1]
	if latest.TotalReconciliations != 2 || before.TotalReconciliations != 1 || latest.Digest == before.Digest ||
		latest.LastReconciledStatus != meta.ReconciliationSucceededReason || latest.Metadata["revision"] != third.Status.LastAppliedRevision ||
		latest.LastReconciled.Time.Before(latest.FirstReconciled.Time) || latest.LastReconciledDuration.Duration <= 0 {
		t.Errorf("the history is %+v", third.Status.History)
	}
}

// TestKustomizationAccountGone lets a deleted Kustomization go whose service
// account is no more; nobody may delete its objects.
func TestKustomizationAccountGone(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1")})
	g.apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: worker, namespace: " + g.namespace + "}}")
	g.admit("worker")
	g.kustomization("apps", "{serviceAccountName: worker, deletionPolicy: Delete, prune: false}")
	g.ready("apps")
	if err := g.client.Delete(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "worker", Namespace: g.namespace}}); err != nil {
		t.Fatal(err)
	}
	if err := g.client.Delete(t.Context(), g.get("apps")); err != nil {
		t.Fatal(err)
	}
	g.goneKustomization("apps")
	if !g.exists("a") {
		t.Error("an object was deleted as nobody who may")
	}
	g.eventually("no event tells that the objects stay", func() bool {
		return slices.ContainsFunc(g.events("apps"), func(e string) bool { return strings.Contains(e, "unable to prune objects") })
	})
}

// TestKustomizationDeletionPolicyDelete deletes what was applied also where
// nothing is pruned otherwise.
func TestKustomizationDeletionPolicyDelete(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1"), "kept/b.yaml": configMap("b", "1")})
	g.kustomization("apps", "{deletionPolicy: Delete, prune: false}")
	g.kustomization("kept", "{deletionPolicy: Delete}")
	g.ready("apps")
	g.ready("kept")
	// A suspended one leaves its objects behind.
	g.kustomization("kept", "{deletionPolicy: Delete, suspend: true}")
	for _, name := range []string{"apps", "kept"} {
		if err := g.client.Delete(t.Context(), g.get(name)); err != nil {
			t.Fatal(err)
		}
		g.goneKustomization(name)
	}
	g.gone("a")
	if !g.exists("b") {
		t.Error("a suspended Kustomization deleted its objects")
	}
}

// deployment reads a Deployment.
func (g *gitops) deployment(name string) *appsv1.Deployment {
	g.t.Helper()
	deployment := &appsv1.Deployment{}
	if err := g.client.Get(g.t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: name}, deployment); err != nil {
		g.t.Fatal(err)
	}
	return deployment
}

// images returns the images of a Deployment.
func images(deployment *appsv1.Deployment) []string {
	var images []string
	for _, container := range deployment.Spec.Template.Spec.Containers {
		images = append(images, container.Image)
	}
	return images
}

// TestKustomizationCrossNamespaceDependency waits for one of another namespace.
func TestKustomizationCrossNamespaceDependency(t *testing.T) {
	t.Parallel()
	g := newGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1"), "base/b.yaml": configMap("b", "1")})
	g.others = []string{namespace(t)}
	g.run(cluster(t).Config())
	g.kustomization("apps", "{dependsOn: [{name: base, namespace: "+g.others[0]+"}]}")
	g.failed("apps", meta.DependencyNotReadyReason, "dependency '"+g.others[0]+"/base' not found")
	base := fmt.Sprintf("{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: base, namespace: %s}, spec: {interval: 1h, prune: false, path: ./base, sourceRef: {kind: GitRepository, name: home, namespace: %s}}}", g.others[0], g.namespace)
	obj := g.apply(base)
	g.ready("apps")
	if err := g.client.Delete(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	g.eventually("the dependency does not go", func() bool {
		err := g.client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj)
		return apierrors.IsNotFound(err)
	})
}
