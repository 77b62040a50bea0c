package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/domain"
	"hearth/internal/engine/fluxinstance"
	"hearth/internal/engine/inputprovider"
	"hearth/internal/engine/resourceset"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
	"hearth/internal/render"
)

// operated runs the reconcilers of flux-operator's kinds in one namespace.
type operated struct {
	t           *testing.T
	namespace   string
	client      client.Client // reads from the server
	assumptions *domain.Assumptions
}

func startOperator(t *testing.T) *operated {
	t.Helper()
	o := &operated{t: t, namespace: namespace(t), assumptions: &domain.Assumptions{}}
	ctrllog.SetLogger(logr.Discard())
	only := cache.ByObject{Namespaces: map[string]cache.Config{o.namespace: {}}}
	mgr, err := manager.New(cluster(t).Config(), manager.Options{
		Scheme:  scheme.New(),
		Logger:  logr.Discard(),
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&fluxcdv1.FluxInstance{}: only, &fluxcdv1.FluxReport{}: only, &fluxcdv1.ResourceSet{}: only,
				&fluxcdv1.ResourceSetInputProvider{}: only, &kustomizev1.Kustomization{}: only, &helmv2.HelmRelease{}: only,
				&sourcev1.GitRepository{}: only, &sourcev1.OCIRepository{}: only, &sourcev1.Bucket{}: only, &sourcev1.ExternalArtifact{}: only,
			},
		},
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if o.client, err = client.New(cluster(t).Config(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()}); err != nil {
		t.Fatal(err)
	}
	gate, index := work.NewGate(4), &render.Index{}
	seen := objects.New(mgr.GetCache(), mgr.GetScheme())
	for _, err := range []error{
		fluxinstance.Setup(mgr, fluxinstance.Options{Gate: gate, Objects: seen, Index: index, Assumptions: o.assumptions, Version: "test"}),
		resourceset.Setup(mgr, resourceset.Options{Gate: gate, Objects: seen, Index: index}),
		inputprovider.Setup(mgr, inputprovider.Options{Gate: gate, Assumptions: o.assumptions}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the reconcilers ended with: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("the reconcilers do not end")
		}
	})
	t.Cleanup(o.clear)
	return o
}

// clear deletes what would keep the namespace from going.
func (o *operated) clear() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for _, list := range []client.ObjectList{&fluxcdv1.ResourceSetList{}, &fluxcdv1.ResourceSetInputProviderList{}, &fluxcdv1.FluxInstanceList{}} {
		kind := strings.TrimSuffix(fmt.Sprintf("%T", list), "List")
		comesTo(o.t, func() bool {
			if err := o.client.List(ctx, list, client.InNamespace(o.namespace)); err != nil {
				return ctx.Err() != nil
			}
			left := 0
			_ = apimeta.EachListItem(list, func(item runtime.Object) error {
				left++
				if obj := item.(client.Object); obj.GetDeletionTimestamp() == nil {
					_ = o.client.Delete(ctx, obj)
				}
				return nil
			})
			return left == 0
		}, func() string { return kind + " do not go" })
	}
}

// apply applies a manifest; NS in it stands for the namespace.
func (o *operated) apply(manifest string) *unstructured.Unstructured {
	o.t.Helper()
	obj, err := o.tryApply(manifest)
	if err != nil {
		o.t.Fatal(err)
	}
	return obj
}

func (o *operated) tryApply(manifest string) (*unstructured.Unstructured, error) {
	o.t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(manifest, "NS", o.namespace)), &obj.Object); err != nil {
		o.t.Fatal(err)
	}
	if obj.GetNamespace() == "" {
		obj.SetNamespace(o.namespace)
	}
	return obj, o.client.Apply(o.t.Context(), client.ApplyConfigurationFromUnstructured(obj), client.FieldOwner("test"), client.ForceOwnership)
}

// set applies a ResourceSet.
func (o *operated) set(name, annotations, spec string) {
	o.t.Helper()
	o.apply(fmt.Sprintf("apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata:\n  name: %s\n  annotations: {%s}\nspec:\n%s", name, annotations, indent(spec)))
}

// provider applies a ResourceSetInputProvider.
func (o *operated) provider(name, labels, spec string) {
	o.t.Helper()
	o.apply(fmt.Sprintf("apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSetInputProvider\nmetadata:\n  name: %s\n  labels: {%s}\nspec:\n%s", name, labels, indent(spec)))
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}

// until waits for an object to be as wanted.
func until[T client.Object](o *operated, obj T, name, want string, is func(T) bool) T {
	o.t.Helper()
	comesTo(o.t, func() bool {
		err := o.client.Get(o.t.Context(), client.ObjectKey{Namespace: o.namespace, Name: name}, obj)
		return err == nil && is(obj)
	}, func() string {
		data, _ := yaml.Marshal(obj)
		return fmt.Sprintf("%T %s is not %s:\n%s", obj, name, want, data)
	})
	return obj
}

func (o *operated) readySet(name string) *fluxcdv1.ResourceSet {
	o.t.Helper()
	return until(o, &fluxcdv1.ResourceSet{}, name, "ready", func(s *fluxcdv1.ResourceSet) bool { return isCurrent(s, s.Generation, "True") })
}

func (o *operated) failedSet(name, reason, message string) *fluxcdv1.ResourceSet {
	o.t.Helper()
	return until(o, &fluxcdv1.ResourceSet{}, name, reason+": "+message, func(s *fluxcdv1.ResourceSet) bool {
		return isCurrent(s, s.Generation, "False") && conditions.GetReason(s, "Ready") == reason && strings.Contains(conditions.GetMessage(s, "Ready"), message)
	})
}

func isCurrent(obj conditions.Getter, generation int64, ready string) bool {
	c := conditions.Get(obj, "Ready")
	return c != nil && string(c.Status) == ready && c.ObservedGeneration == generation
}

func (o *operated) configMap(name string) *corev1.ConfigMap {
	o.t.Helper()
	return until(o, &corev1.ConfigMap{}, name, "there", func(*corev1.ConfigMap) bool { return true })
}

// hasNot fails where a ConfigMap exists.
func (o *operated) hasNot(name string) {
	o.t.Helper()
	if err := o.client.Get(o.t.Context(), client.ObjectKey{Namespace: o.namespace, Name: name}, &corev1.ConfigMap{}); !apierrors.IsNotFound(err) {
		o.t.Errorf("ConfigMap %s exists (%v), and should not", name, err)
	}
}

func (o *operated) gone(obj client.Object, name string) {
	o.t.Helper()
	comesTo(o.t, func() bool {
		return apierrors.IsNotFound(o.client.Get(o.t.Context(), client.ObjectKey{Namespace: o.namespace, Name: name}, obj))
	}, func() string { return fmt.Sprintf("%T %s does not go", obj, name) })
}

// told waits for an event about an object.
func (o *operated) told(name, reason string, parts ...string) {
	o.t.Helper()
	var list corev1.EventList
	comesTo(o.t, func() bool {
		if err := o.client.List(o.t.Context(), &list, client.InNamespace(o.namespace)); err != nil {
			return false
		}
		for _, e := range list.Items {
			if e.InvolvedObject.Name != name || e.Reason != reason {
				continue
			}
			all := true
			for _, part := range parts {
				all = all && strings.Contains(e.Message, part)
			}
			if all {
				return true
			}
		}
		return false
	}, func() string {
		var got []string
		for _, e := range list.Items {
			got = append(got, fmt.Sprintf("%s %s: %s", e.InvolvedObject.Name, e.Reason, e.Message))
		}
		return fmt.Sprintf("no event %s of %s tells %q:\n%s", reason, name, parts, strings.Join(got, "\n"))
	})
}

const configMaps = `
inputs: [{team: one, size: 2}, {team: two, size: 3}]
resources:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: "<< inputs.team >>", namespace: NS}
  data: {size: << inputs.size | quote >>, from: << inputs.provider.name >>}
`

func TestAResourceSetMakesObjectsOfItsInputs(t *testing.T) {
	o := startOperator(t)
	o.set("teams", "", configMaps+"commonMetadata: {labels: {part: teams}, annotations: {note: hello}}")
	set := o.readySet("teams")
	one := o.configMap("one")
	if one.Data["size"] != "2" || one.Data["from"] != "teams" || one.Labels["part"] != "teams" || one.Annotations["note"] != "hello" {
		t.Errorf("got %v, labels %v", one.Data, one.Labels)
	}
	if one.Labels["resourceset.fluxcd.controlplane.io/name"] != "teams" {
		t.Errorf("the owner is not told by labels: %v", one.Labels)
	}
	if set.Status.Inventory == nil || len(set.Status.Inventory.Entries) != 2 || !strings.HasPrefix(set.Status.LastAppliedRevision, "sha256:") {
		t.Errorf("got the status %+v", set.Status)
	}
	if h := set.Status.History; len(h) != 1 || h[0].LastReconciledStatus != "ReconciliationSucceeded" || h[0].Metadata["inputs"] != "2" || h[0].Digest != set.Status.LastAppliedRevision {
		t.Errorf("got the history %+v", h)
	}
	o.told("teams", "ApplySucceeded", "ConfigMap/"+o.namespace+"/one created", "two created")
	o.told("teams", "ReconciliationSucceeded", "Reconciliation finished in")

	o.set("teams", "", strings.Replace(configMaps, "{team: one, size: 2}, ", "", 1))
	o.gone(&corev1.ConfigMap{}, "one")
	o.readySet("teams")
	o.configMap("two")

	if err := o.client.Delete(t.Context(), &fluxcdv1.ResourceSet{ObjectMeta: set.ObjectMeta}); err != nil {
		t.Fatal(err)
	}
	o.gone(&fluxcdv1.ResourceSet{}, "teams")
	o.gone(&corev1.ConfigMap{}, "two")
}

func TestAResourceSetThatIsUnchangedWritesNothing(t *testing.T) {
	o := startOperator(t)
	o.set("teams", "", configMaps)
	before, one := o.readySet("teams"), o.configMap("one")
	o.apply(fmt.Sprintf("{apiVersion: fluxcd.controlplane.io/v1, kind: ResourceSet, metadata: {name: teams, annotations: {example.org/x: z}}, spec: {%s}}", "wait: false, "+inline(t, configMaps)))
	// The spec has changed by an explicit default: another generation, the same objects.
	after := o.readySet("teams")
	if got := o.configMap("one"); got.ResourceVersion != one.ResourceVersion {
		t.Error("an unchanged object was written")
	}
	if len(after.Status.History) != 1 || after.Status.LastAppliedRevision != before.Status.LastAppliedRevision {
		t.Errorf("got the history %+v", after.Status.History)
	}
}

// inline writes YAML as the inside of a flow mapping.
func inline(t *testing.T, text string) string {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(data), "{"), "}")
}

func TestDriftOfAResourceSetIsUndone(t *testing.T) {
	o := startOperator(t)
	o.set("teams", "", configMaps)
	o.readySet("teams")
	o.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {size: '99'}}")
	o.set("teams", `reconcile.fluxcd.io/requestedAt: "now"`, configMaps)
	until(o, &corev1.ConfigMap{}, "one", "as it should be", func(c *corev1.ConfigMap) bool { return c.Data["size"] == "2" })
	until(o, &fluxcdv1.ResourceSet{}, "teams", "acknowledged", func(s *fluxcdv1.ResourceSet) bool { return s.Status.LastHandledReconcileAt == "now" })

	// A live object that says so is left alone.
	o.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: one, annotations: {fluxcd.controlplane.io/reconcile: disabled}}, data: {size: '98'}}")
	o.set("teams", `reconcile.fluxcd.io/requestedAt: "later"`, configMaps)
	until(o, &fluxcdv1.ResourceSet{}, "teams", "acknowledged", func(s *fluxcdv1.ResourceSet) bool { return s.Status.LastHandledReconcileAt == "later" })
	if got := o.configMap("one"); got.Data["size"] != "98" {
		t.Errorf("a frozen object was changed to %v", got.Data)
	}
}

func TestABrokenTemplateStallsAndRemovesNothing(t *testing.T) {
	o := startOperator(t)
	o.set("teams", "", configMaps)
	before := o.readySet("teams")
	o.set("teams", "", strings.ReplaceAll(configMaps, "inputs.size", "inputs.weight"))
	set := o.failedSet("teams", "BuildFailed", "weight")
	if !conditions.IsStalled(set) || len(set.Status.Inventory.Entries) != 2 {
		t.Errorf("got %+v", set.Status)
	}
	if set.Status.LastAppliedRevision != before.Status.LastAppliedRevision {
		t.Error("the last good revision is forgotten")
	}
	o.configMap("one")
	o.told("teams", "BuildFailed", "weight")
	o.set("teams", "", configMaps)
	if conditions.IsStalled(o.readySet("teams")) {
		t.Error("it is still stalled")
	}
}

func TestAFailedApplyRemovesNothing(t *testing.T) {
	o := startOperator(t)
	o.set("teams", "", configMaps)
	o.readySet("teams")
	o.set("teams", "", strings.Replace(configMaps, "{team: one, size: 2}", "{team: 'No Name', size: 2}", 1))
	set := o.failedSet("teams", "ReconciliationFailed", "reconciliation failed: ")
	o.configMap("one")
	if len(set.Status.Inventory.Entries) < 2 || set.Status.History[0].LastReconciledStatus != "ReconciliationFailed" {
		t.Errorf("got %+v", set.Status)
	}
}

func TestInputsFromProvidersWakeAtOnce(t *testing.T) {
	o := startOperator(t)
	o.set("apps", "", `
inputsFrom:
- {apiVersion: fluxcd.controlplane.io/v1, kind: ResourceSetInputProvider, name: first}
- selector: {matchLabels: {app: web}}
resourcesTemplate: |
  apiVersion: v1
  kind: ConfigMap
  metadata:
    name: << inputs.name >>
    namespace: NS
  data: {id: << inputs.id | quote >>, kind: << inputs.provider.kind >>}`)
	o.failedSet("apps", "BuildFailed", "failed to get provider "+o.namespace+"/first")
	o.provider("first", "", "type: Static\ndefaultValues: {name: alpha}")
	o.readySet("apps")
	if got := o.configMap("alpha"); got.Data["kind"] != "ResourceSetInputProvider" || got.Data["id"] == "" {
		t.Errorf("got %v", got.Data)
	}
	o.provider("second", "app: web", "type: Static\ndefaultValues: {name: beta}")
	o.configMap("beta")
	o.provider("second", "app: web", "type: Static\ndefaultValues: {name: gamma}")
	o.configMap("gamma")
	o.gone(&corev1.ConfigMap{}, "beta")
	o.provider("second", "app: other", "type: Static\ndefaultValues: {name: gamma}")
	o.gone(&corev1.ConfigMap{}, "gamma")
}

func TestInputsArePermuted(t *testing.T) {
	o := startOperator(t)
	o.provider("git-tag", "", "type: Static\ndefaultValues: {tag: v1}")
	o.provider("none", "empty: 'yes'", "type: ExternalArtifact\nselectors: [{name: nothing}]")
	spec := `
inputStrategy: {name: Permute%s}
inputs: [{name: a}, {name: b}]
inputsFrom: [{name: git-tag}, {selector: {matchLabels: {empty: 'yes'}}}]
resources:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: "<< inputs.my_set.name >>-<< inputs.git_tag.tag >>", namespace: NS}
  data: {id: << inputs.id | quote >>}
`
	o.set("my-set", "", fmt.Sprintf(spec, ""))
	o.configMap("a-v1")
	o.configMap("b-v1")
	o.readySet("my-set")
	o.set("my-set", "", fmt.Sprintf(spec, ", includeEmptyProviders: true"))
	o.gone(&corev1.ConfigMap{}, "a-v1")
	set := o.readySet("my-set")
	if len(set.Status.Inventory.Entries) != 0 {
		t.Errorf("got %v", set.Status.Inventory)
	}
}

func TestAResourceSetWaitsForItsDependencies(t *testing.T) {
	o := startOperator(t)
	o.set("app", "", `
dependsOn:
- {apiVersion: v1, kind: ConfigMap, name: gate, namespace: NS, ready: true, readyExpr: "data.open == 'yes'"}
- {apiVersion: fluxcd.controlplane.io/v1, kind: ResourceSet, name: base, namespace: NS, ready: true}
- {apiVersion: v1, kind: Namespace, name: NS}
resources: [{apiVersion: v1, kind: ConfigMap, metadata: {name: app, namespace: NS}}]`)
	o.failedSet("app", "DependencyNotReady", "not found")
	o.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: gate}, data: {open: 'no'}}")
	o.failedSet("app", "DependencyNotReady", "not ready: expression 'data.open == 'yes''")
	o.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: gate}, data: {open: 'yes'}}")
	o.failedSet("app", "DependencyNotReady", "ResourceSet/"+o.namespace+"/base not found")
	o.hasNot("app")
	o.told("app", "DependencyNotReady", "Retrying dependency check")
	o.set("base", "", "resources: [{apiVersion: v1, kind: ConfigMap, metadata: {name: base, namespace: NS}}]")
	o.readySet("app")
	o.configMap("app")

	o.set("wrong", "", `
dependsOn: [{apiVersion: v1, kind: ConfigMap, name: gate, namespace: NS, ready: true, readyExpr: "data.open =="}]
resources: [{apiVersion: v1, kind: ConfigMap, metadata: {name: wrong, namespace: NS}}]`)
	if !conditions.IsStalled(o.failedSet("wrong", "InvalidCELExpression", "Reconciliation failed terminally")) {
		t.Error("it is not stalled")
	}
}

func TestADependencyKeepsSecretsOfOthers(t *testing.T) {
	o := startOperator(t)
	other := namespace(t)
	for _, ns := range []string{other, o.namespace} {
		o.apply(fmt.Sprintf("{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: %s}, stringData: {a: b}}", ns))
	}
	spec := `
dependsOn: [{apiVersion: v1, kind: Secret, name: key, namespace: %s, ready: true, readyExpr: "has(data.a)"}]
resources: [{apiVersion: v1, kind: ConfigMap, metadata: {name: reads, namespace: NS}}]`
	o.set("foreign", "", fmt.Sprintf(spec, other))
	o.failedSet("foreign", "DependencyNotReady", "not ready")
	o.set("own", "", fmt.Sprintf(spec, "NS"))
	o.readySet("own")
}

const steps = `
steps:
- name: first
  timeout: %s
  resources: [{apiVersion: fluxcd.controlplane.io/v1, kind: ResourceSetInputProvider, metadata: {name: before, namespace: NS}, spec: {type: %s}}]
- name: second
  resourcesTemplate: |
    {apiVersion: v1, kind: ConfigMap, metadata: {name: after, namespace: NS}}
`

func TestStepsComeOneAfterTheOther(t *testing.T) {
	o := startOperator(t)
	const unreachable = "OCIArtifactTag, insecure: true, url: 'oci://127.0.0.1:1/a/b'"
	o.set("app", "", fmt.Sprintf(steps, "1s", unreachable))
	set := o.failedSet("app", "ReconciliationFailed", `step "first" health check failed: timeout waiting after 1s`)
	o.hasNot("after")
	if len(set.Status.Inventory.Entries) != 1 || set.Status.History[0].Metadata["steps"] != "2" {
		t.Errorf("got %+v", set.Status)
	}
	o.told("app", "ApplySucceeded", `step "first": ResourceSetInputProvider/`)
	// The wait that is under way ends: nobody waits ten minutes.
	o.set("app", "", fmt.Sprintf(steps, "10m", unreachable))
	until(o, &fluxcdv1.ResourceSet{}, "app", "waiting", func(s *fluxcdv1.ResourceSet) bool {
		return conditions.GetMessage(s, "Reconciling") == `Applying step 1/2 "first"` && isCurrent(s, s.Generation, "Unknown")
	})
	o.set("app", "", fmt.Sprintf(steps, "10m", "Static"))
	o.readySet("app")
	o.configMap("after")
	o.told("app", "HealthCheckCanceled", "new reconciliation")
}

func TestAResourceSetWaitsForItsObjects(t *testing.T) {
	o := startOperator(t)
	spec := `
wait: true
resources: [{apiVersion: fluxcd.controlplane.io/v1, kind: ResourceSetInputProvider, metadata: {name: slow, namespace: NS}, spec: {type: %s}}]`
	o.set("app", "fluxcd.controlplane.io/reconcileTimeout: 1s", fmt.Sprintf(spec, "OCIArtifactTag, insecure: true, url: 'oci://127.0.0.1:1/a/b'"))
	o.failedSet("app", "ReconciliationFailed", "timeout waiting after 1s")
	o.set("app", "fluxcd.controlplane.io/reconcileTimeout: 10m", fmt.Sprintf(spec, "Static"))
	o.readySet("app")
}

func TestDataIsTakenFromElsewhere(t *testing.T) {
	o := startOperator(t)
	o.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: info}, data: {a: b}}")
	o.apply("{apiVersion: v1, kind: Secret, metadata: {name: login}, type: kubernetes.io/basic-auth, stringData: {username: u, password: p}}")
	o.apply(`{apiVersion: v1, kind: Secret, metadata: {name: kube}, stringData: {value: "{clusters: [{name: x, cluster: {server: 'https://one.example.org', certificate-authority-data: Q0E=}}]}"}}`)
	o.set("copies", "", `
resources:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: info-copy, namespace: NS, annotations: {fluxcd.controlplane.io/copyFrom: NS/info}}}
- {apiVersion: v1, kind: Secret, metadata: {name: login-copy, namespace: NS, annotations: {fluxcd.controlplane.io/copyFrom: NS/login}}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: kube-info, namespace: NS, annotations: {fluxcd.controlplane.io/convertKubeConfigFrom: NS/kube}}, data: {name: one}}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: sums, namespace: NS, annotations: {fluxcd.controlplane.io/checksumFrom: "ConfigMap/NS/info-copy, Secret/NS/login"}}`)
	set := o.readySet("copies")
	if got := o.configMap("info-copy"); got.Data["a"] != "b" {
		t.Errorf("copied %v", got.Data)
	}
	secret := until(o, &corev1.Secret{}, "login-copy", "there", func(*corev1.Secret) bool { return true })
	if string(secret.Data["password"]) != "p" || secret.Type != corev1.SecretTypeBasicAuth {
		t.Errorf("copied a Secret of type %s with %d fields", secret.Type, len(secret.Data))
	}
	if got := o.configMap("kube-info").Data; got["address"] != "https://one.example.org" || got["ca.crt"] != "CA" || got["name"] != "one" {
		t.Errorf("converted %v", got)
	}
	sum := o.configMap("sums").Annotations["fluxcd.controlplane.io/checksum"]
	if !strings.HasPrefix(sum, "sha256:") {
		t.Errorf("got the checksum %q", sum)
	}
	if refs := set.Status.ExternalChecksumRefs; len(refs) != 1 || refs[0] != "Secret/"+o.namespace+"/login" {
		t.Errorf("got %v", refs)
	}
	o.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: info}, data: {a: c}}")
	until(o, &corev1.ConfigMap{}, "info-copy", "copied again", func(c *corev1.ConfigMap) bool { return c.Data["a"] == "c" })
	until(o, &corev1.ConfigMap{}, "sums", "computed again", func(c *corev1.ConfigMap) bool {
		return c.Annotations["fluxcd.controlplane.io/checksum"] != sum
	})
}

func TestAResourceSetActsAsItsServiceAccount(t *testing.T) {
	o := startOperator(t)
	o.apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: weak}}")
	o.set("teams", "", configMaps+"serviceAccountName: weak")
	o.failedSet("teams", "ReconciliationFailed", "forbidden")
	o.hasNot("one")
	o.apply("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: weak}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}, subjects: [{kind: ServiceAccount, name: weak, namespace: NS}]}")
	o.set("teams", `reconcile.fluxcd.io/requestedAt: "now"`, configMaps+"serviceAccountName: weak")
	o.readySet("teams")
	o.configMap("one")
}

func TestAnnotationsSteerAResourceSet(t *testing.T) {
	o := startOperator(t)
	o.set("rest", "fluxcd.controlplane.io/reconcile: disabled", configMaps)
	until(o, &fluxcdv1.ResourceSet{}, "rest", "suspended", func(s *fluxcdv1.ResourceSet) bool {
		return conditions.GetReason(s, "Ready") == "ReconciliationDisabled"
	})
	o.hasNot("one")
	o.told("rest", "ReconciliationDisabled", "disabled")
	o.set("rest", "fluxcd.controlplane.io/reconcile: enabled, fluxcd.controlplane.io/reconcileEvery: 1s", configMaps)
	o.readySet("rest")
	// The interval undoes drift by itself.
	o.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {size: '99'}}")
	until(o, &corev1.ConfigMap{}, "one", "as it should be", func(c *corev1.ConfigMap) bool { return c.Data["size"] == "2" })

	// What is annotated so stays, what cannot be changed is replaced.
	fixed := func(data, annotation string) string {
		return fmt.Sprintf("resources: [{apiVersion: v1, kind: ConfigMap, metadata: {name: fixed, namespace: NS, annotations: {%s}}, immutable: true, data: {a: '%s'}}]", annotation, data)
	}
	o.set("fixed", "", fixed("1", ""))
	first := o.readySet("fixed")
	o.set("fixed", "", fixed("2", ""))
	o.failedSet("fixed", "ReconciliationFailed", "immutable")
	o.set("fixed", "fluxcd.controlplane.io/force: enabled", fixed("2", "fluxcd.controlplane.io/prune: disabled"))
	o.readySet("fixed")
	if got := o.configMap("fixed"); got.Data["a"] != "2" {
		t.Errorf("got %v", got.Data)
	}
	if err := o.client.Delete(t.Context(), &fluxcdv1.ResourceSet{ObjectMeta: first.ObjectMeta}); err != nil {
		t.Fatal(err)
	}
	o.gone(&fluxcdv1.ResourceSet{}, "fixed")
	o.configMap("fixed")
}

func TestAFailedJobIsMadeAgain(t *testing.T) {
	o := startOperator(t)
	job := `
resources:
- apiVersion: batch/v1
  kind: Job
  metadata: {name: once, namespace: NS, annotations: {fluxcd.controlplane.io/recreateOnFailure: enabled}}
  spec: {activeDeadlineSeconds: 1, template: {spec: {restartPolicy: Never, containers: [{name: a, image: example.org/a}]}}}`
	o.set("jobs", "", job)
	o.readySet("jobs")
	gvk := schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}
	made := &unstructured.Unstructured{}
	made.SetGroupVersionKind(gvk)
	until(o, made, "once", "there", func(*unstructured.Unstructured) bool { return true })
	uid := made.GetUID()
	failed := func(j *unstructured.Unstructured) bool {
		result, err := status.Compute(j)
		return err == nil && result.Status == status.FailedStatus
	}
	until(o, made, "once", "failed, since nobody runs it in time", failed)
	o.set("jobs", `reconcile.fluxcd.io/requestedAt: "now"`, job)
	again := &unstructured.Unstructured{}
	again.SetGroupVersionKind(gvk)
	until(o, again, "once", "made again", func(j *unstructured.Unstructured) bool { return j.GetUID() != uid })
}

func TestAResourceSetBringsKindsAndTheirObjects(t *testing.T) {
	o := startOperator(t)
	group := o.namespace + ".example.org"
	o.set("kinds", "", strings.ReplaceAll(`
resources:
- {apiVersion: GROUP/v1, kind: Widget, metadata: {name: w, namespace: NS}}
- apiVersion: apiextensions.k8s.io/v1
  kind: CustomResourceDefinition
  metadata: {name: widgets.GROUP}
  spec:
    group: GROUP
    scope: Namespaced
    names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
    versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]`, "GROUP", group))
	o.readySet("kinds")
	widget := &unstructured.Unstructured{}
	widget.SetAPIVersion(group + "/v1")
	widget.SetKind("Widget")
	until(o, widget, "w", "there", func(*unstructured.Unstructured) bool { return true })
}

func TestTheDefinitionOfAResourceSetRefusesNonsense(t *testing.T) {
	o := startOperator(t)
	for name, spec := range map[string]string{
		"steps beside resources": "{steps: [{name: a, resourcesTemplate: a}], resourcesTemplate: b}",
		"nothing":                "{wait: true}",
		"steps of one name":      "{steps: [{name: a, resourcesTemplate: a}, {name: a, resourcesTemplate: b}]}",
		"an empty step":          "{steps: [{name: a}]}",
		"name and selector":      "{resourcesTemplate: x, inputsFrom: [{name: a, selector: {}}]}",
		"a strategy":             "{resourcesTemplate: x, inputStrategy: {name: Shuffle}}",
	} {
		if _, err := o.tryApply("{apiVersion: fluxcd.controlplane.io/v1, kind: ResourceSet, metadata: {name: bad}, spec: " + spec + "}"); !apierrors.IsInvalid(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, spec := range map[string]string{
		"a static one with a URL":     "{type: Static, url: 'https://example.org'}",
		"a forge without a URL":       "{type: GitHubTag}",
		"an artifact without path":    "{type: OCIArtifactTag, url: 'oci://example.org'}",
		"a plain service":             "{type: ExternalService, url: 'http://example.org'}",
		"selectors without artifacts": "{type: Static, selectors: [{name: a}]}",
		"a certificate for a cloud":   "{type: ECRArtifactTag, url: 'oci://example.org/a', certSecretRef: {name: a}}",
	} {
		if _, err := o.tryApply("{apiVersion: fluxcd.controlplane.io/v1, kind: ResourceSetInputProvider, metadata: {name: bad}, spec: " + spec + "}"); !apierrors.IsInvalid(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
