package integration_test

import (
	"fmt"
	"strings"
	"testing"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

// instance applies a FluxInstance.
func (o *operated) instance(annotations, spec string) {
	o.t.Helper()
	o.apply(fmt.Sprintf("apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata:\n  name: flux\n  annotations: {%s}\nspec:\n  distribution: {version: 2.x, registry: ghcr.io/fluxcd}\n%s", annotations, indent(spec)))
}

func (o *operated) readyInstance() *fluxcdv1.FluxInstance {
	o.t.Helper()
	return until(o, &fluxcdv1.FluxInstance{}, "flux", "ready", func(i *fluxcdv1.FluxInstance) bool { return isCurrent(i, i.Generation, "True") })
}

const syncGit = `
wait: false
sync: {kind: GitRepository, url: "https://git.example.org/owner/home.git", ref: refs/heads/main, path: clusters/main, interval: 3m, pullSecret: login, provider: generic}
`

func TestAFluxInstanceSyncs(t *testing.T) {
	o := startOperator(t)
	// What stands there already is taken over, and not written again.
	before := o.apply(`{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: NS}, spec: {url: "https://git.example.org/owner/home.git", ref: {name: refs/heads/main}, interval: 3m0s, secretRef: {name: login}, provider: generic}}`)
	o.instance("", syncGit+`
commonMetadata: {labels: {team: home}, annotations: {note: hello}}
`)
	instance := o.readyInstance()
	source := until(o, &sourcev1.GitRepository{}, o.namespace, "there", func(s *sourcev1.GitRepository) bool { return s.Labels["team"] == "home" })
	if source.UID != before.GetUID() || source.Generation != 1 || source.Annotations["note"] != "hello" {
		t.Errorf("the source became %+v", source.ObjectMeta)
	}
	root := until(o, &kustomizev1.Kustomization{}, o.namespace, "there", func(*kustomizev1.Kustomization) bool { return true })
	if root.Spec.Path != "clusters/main" || !root.Spec.Prune || root.Spec.SourceRef.Name != o.namespace || root.Spec.Interval.Duration.String() != "10m0s" {
		t.Errorf("got %+v", root.Spec)
	}
	if root.Labels["fluxcd.controlplane.io/name"] != "flux" || root.Labels["fluxcd.controlplane.io/namespace"] != o.namespace {
		t.Errorf("the owner is not told by labels: %v", root.Labels)
	}
	for _, name := range []string{"source-controller", "notification-controller", "webhook-receiver"} {
		until(o, &corev1.Service{}, name, "there", func(s *corev1.Service) bool { return s.Labels["app.kubernetes.io/part-of"] == "flux" })
	}
	until(o, &networkingv1.NetworkPolicy{}, "allow-webhooks", "there", func(*networkingv1.NetworkPolicy) bool { return true })

	s := instance.Status
	if !strings.HasPrefix(s.LastAppliedRevision, "v2.") || !strings.Contains(s.LastAppliedRevision, "@sha256:") || s.LastAttemptedRevision != s.LastAppliedRevision {
		t.Errorf("got the revisions %q and %q", s.LastAppliedRevision, s.LastAttemptedRevision)
	}
	if len(s.Components) != 4 || s.Components[0].Repository != "ghcr.io/fluxcd/source-controller" || len(s.Inventory.Entries) != 8 {
		t.Errorf("got the components %v and the inventory %v", s.Components, s.Inventory)
	}
	if len(s.History) != 1 || s.History[0].Metadata["flux"] == "" || s.History[0].LastReconciledStatus != "ReconciliationSucceeded" {
		t.Errorf("got the history %+v", s.History)
	}
	o.told("flux", "Progressing", "Installing revision v2.")
	o.told("flux", "ReconciliationSucceeded", "installed", "Service/"+o.namespace+"/source-controller created")
}

func TestAFluxInstanceSyncsOtherSources(t *testing.T) {
	o := startOperator(t)
	o.instance("", `
wait: false
components: [source-controller]
cluster: {networkPolicy: false}
sync: {name: home, kind: OCIRepository, url: "oci://registry.example.org/home", ref: latest, path: ./}`)
	source := until(o, &sourcev1.OCIRepository{}, "home", "there", func(*sourcev1.OCIRepository) bool { return true })
	if source.Spec.Reference.Tag != "latest" || source.Spec.Interval.Duration.String() != "1m0s" {
		t.Errorf("got %+v", source.Spec)
	}
	instance := o.readyInstance()
	if len(instance.Status.Components) != 1 || len(instance.Status.Inventory.Entries) != 3 {
		t.Errorf("got %v and %v", instance.Status.Components, instance.Status.Inventory)
	}
	o.instance("", `
wait: false
components: [source-controller]
cluster: {networkPolicy: false}
sync: {name: home, kind: Bucket, url: "minio.example.org", ref: flux, path: ./}`)
	bucket := until(o, &sourcev1.Bucket{}, "home", "there", func(*sourcev1.Bucket) bool { return true })
	if bucket.Spec.BucketName != "flux" || bucket.Spec.Endpoint != "minio.example.org" {
		t.Errorf("got %+v", bucket.Spec)
	}
	// What it applied before and does not any more goes.
	o.gone(&sourcev1.OCIRepository{}, "home")
}

func TestPatchesOfAFluxInstance(t *testing.T) {
	o := startOperator(t)
	o.instance("", syncGit+`
kustomize:
  patches:
  - target: {kind: Kustomization}
    patch: '[{"op": "add", "path": "/spec/timeout", "value": "7m"}]'
  - patch: |
      apiVersion: v1
      kind: Service
      metadata: {name: webhook-receiver, namespace: NS, annotations: {patched: 'yes'}}
  - target: {kind: Deployment, name: "(kustomize-controller|helm-controller)"}
    patch: '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--concurrent=10"}]'`)
	o.readyInstance()
	until(o, &kustomizev1.Kustomization{}, o.namespace, "patched", func(k *kustomizev1.Kustomization) bool {
		return k.Spec.Timeout != nil && k.Spec.Timeout.Duration.String() == "7m0s"
	})
	until(o, &corev1.Service{}, "webhook-receiver", "patched", func(s *corev1.Service) bool { return s.Annotations["patched"] == "yes" })
	o.told("flux", "NotApplicable", "spec.kustomize.patches[2] of Deployment (kustomize-controller|helm-controller)")
}

func TestWhatConcernsOnlyPodsIsTold(t *testing.T) {
	o := startOperator(t)
	o.instance("", `
wait: false
distribution: {version: 2.3.x, registry: ghcr.io/fluxcd, variant: upstream-alpine, imagePullSecret: pull, artifact: "oci://ghcr.io/a/b", artifactPullSecret: pull}
components: [source-controller, image-reflector-controller]
storage: {class: fast, size: 1Gi}
sharding: {shards: [a], storage: persistent}
cluster: {size: large, type: openshift, domain: home.arpa, multitenant: true, tenantDefaultServiceAccount: flux, objectLevelWorkloadIdentity: true, multitenantWorkloadIdentity: true}`)
	if instance := o.readyInstance(); instance.Status.LastArtifactRevision != "" {
		t.Errorf("an artifact %s was pulled, which nobody uses", instance.Status.LastArtifactRevision)
	}
	for _, setting := range []string{
		"spec.distribution.version 2.3.x", "spec.distribution.variant", "spec.distribution.imagePullSecret", "spec.distribution.artifact",
		"spec.storage", "spec.sharding", "spec.cluster.size", "spec.cluster.type", "spec.cluster.domain", "spec.cluster.multitenant",
		"spec.cluster.objectLevelWorkloadIdentity", "spec.cluster.multitenantWorkloadIdentity", "spec.components image-reflector-controller",
	} {
		o.told("flux", "NotApplicable", setting)
	}
	if list := o.assumptions.List(); len(list) != 1 || !strings.Contains(list[0].Reason, "spec.storage") {
		t.Errorf("assumed %v", list)
	}
}

func TestAFluxInstanceWaits(t *testing.T) {
	o := startOperator(t)
	o.instance("fluxcd.controlplane.io/reconcileTimeout: 1s", strings.Replace(syncGit, "wait: false", "wait: true", 1))
	until(o, &fluxcdv1.FluxInstance{}, "flux", "timed out", func(i *fluxcdv1.FluxInstance) bool {
		return conditions.GetReason(i, "Ready") == "ReconciliationFailed" && strings.Contains(conditions.GetMessage(i, "Ready"), "timeout waiting after 1s")
	})
	o.instance("fluxcd.controlplane.io/reconcileTimeout: 10m", strings.Replace(syncGit, "wait: false", "wait: true", 1))
	ready := func(obj client.Object) {
		t.Helper()
		patch := fmt.Sprintf(`{"status":{"observedGeneration":%d,"conditions":[{"type":"Ready","status":"True","reason":"Succeeded","message":"","lastTransitionTime":"2024-01-01T00:00:00Z","observedGeneration":%d}]}}`, obj.GetGeneration(), obj.GetGeneration())
		if err := o.client.Status().Patch(t.Context(), obj, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
			t.Fatal(err)
		}
	}
	ready(until(o, &sourcev1.GitRepository{}, o.namespace, "there", func(*sourcev1.GitRepository) bool { return true }))
	ready(until(o, &kustomizev1.Kustomization{}, o.namespace, "there", func(*kustomizev1.Kustomization) bool { return true }))
	o.readyInstance()
}

func TestDeletingAFluxInstanceLeavesWhatItSynced(t *testing.T) {
	o := startOperator(t)
	o.instance("", syncGit)
	instance := o.readyInstance()
	until(o, &corev1.Service{}, "source-controller", "there", func(*corev1.Service) bool { return true })
	root := until(o, &kustomizev1.Kustomization{}, o.namespace, "there", func(*kustomizev1.Kustomization) bool { return true })
	hold := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":["example.org/hold"]}}`))
	if err := o.client.Patch(t.Context(), root, hold); err != nil {
		t.Fatal(err)
	}
	if err := o.client.Delete(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	root = until(o, root, o.namespace, "going, and leaving all behind", func(k *kustomizev1.Kustomization) bool {
		return k.DeletionTimestamp != nil && k.Spec.DeletionPolicy == kustomizev1.DeletionPolicyOrphan
	})
	if err := o.client.Patch(t.Context(), root, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))); err != nil {
		t.Fatal(err)
	}
	o.gone(&fluxcdv1.FluxInstance{}, "flux")
	o.gone(&sourcev1.GitRepository{}, o.namespace)
	o.gone(&corev1.Service{}, "source-controller")
}

func TestAnnotationsSteerAFluxInstance(t *testing.T) {
	o := startOperator(t)
	o.instance("fluxcd.controlplane.io/reconcile: disabled", "wait: false")
	until(o, &fluxcdv1.FluxInstance{}, "flux", "suspended", func(i *fluxcdv1.FluxInstance) bool {
		return conditions.GetReason(i, "Ready") == "ReconciliationDisabled"
	})
	o.instance("fluxcd.controlplane.io/reconcile: enabled, fluxcd.controlplane.io/reconcileEvery: 1s", "wait: false")
	o.readyInstance()
	// Drift is undone when the interval is over.
	o.apply("{apiVersion: v1, kind: Service, metadata: {name: webhook-receiver}, spec: {selector: {app: other}, ports: [{name: http, port: 80, protocol: TCP}]}}")
	until(o, &corev1.Service{}, "webhook-receiver", "as it should be", func(s *corev1.Service) bool {
		return s.Spec.Selector["app"] == "notification-controller"
	})
	// What is protected stays when it is no longer asked for.
	o.apply("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: allow-egress, annotations: {fluxcd.controlplane.io/prune: disabled}}}")
	o.instance(`reconcile.fluxcd.io/requestedAt: "now", reconcile.fluxcd.io/forceAt: "now"`, "wait: false\ncluster: {networkPolicy: false}")
	o.gone(&networkingv1.NetworkPolicy{}, "allow-webhooks")
	until(o, &fluxcdv1.FluxInstance{}, "flux", "acknowledged", func(i *fluxcdv1.FluxInstance) bool {
		return i.Status.LastHandledReconcileAt == "now" && i.Status.LastHandledForceAt == "now"
	})
	until(o, &networkingv1.NetworkPolicy{}, "allow-egress", "still there", func(*networkingv1.NetworkPolicy) bool { return true })
}

func TestObjectsOfFluxAreStoredAnew(t *testing.T) {
	o := startOperator(t)
	group := o.namespace + ".toolkit.fluxcd.io"
	crd := o.apply(strings.ReplaceAll(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
  - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}`, "GROUP", group))
	definition := &apiextensionsv1.CustomResourceDefinition{}
	t.Cleanup(func() { _ = o.client.Delete(t.Context(), crd) })
	versions := func() []string {
		if err := o.client.Get(t.Context(), client.ObjectKey{Name: "widgets." + group}, definition); err != nil {
			t.Fatal(err)
		}
		return definition.Status.StoredVersions
	}
	comesTo(t, func() bool { return len(versions()) == 1 && len(definition.Status.Conditions) > 1 }, func() string { return "the definition is not taken up" })
	old := client.RawPatch("application/merge-patch+json", []byte(`{"status":{"storedVersions":["v1beta1","v1"]}}`))
	if err := o.client.Status().Patch(t.Context(), definition, old); err != nil {
		t.Fatal(err)
	}
	o.instance("", "wait: false\nmigrateResources: false")
	o.readyInstance()
	if got := versions(); len(got) != 2 {
		t.Errorf("migrated to %v, though it should not be", got)
	}
	o.instance("", "wait: false\nmigrateResources: true")
	comesTo(t, func() bool { return len(versions()) == 1 }, func() string { return fmt.Sprintf("the versions stored are %v", versions()) })
}

func TestAFluxInstanceThatCannotBeBuilt(t *testing.T) {
	o := startOperator(t)
	o.instance("", "wait: false\ndistribution: {version: latest greatest, registry: ghcr.io/fluxcd}")
	instance := until(o, &fluxcdv1.FluxInstance{}, "flux", "stalled", func(i *fluxcdv1.FluxInstance) bool { return conditions.IsStalled(i) })
	if conditions.GetReason(instance, "Ready") != "BuildFailed" || !strings.Contains(conditions.GetMessage(instance, "Ready"), "latest greatest") {
		t.Errorf("got %v", instance.Status.Conditions)
	}
	for name, spec := range map[string]string{
		"another name":     "{name: other}, spec: {distribution: {version: 2.x, registry: a}}",
		"Git at Google's":  "{name: flux}, spec: {distribution: {version: 2.x, registry: a}, sync: {kind: GitRepository, url: a, ref: b, path: c, provider: gcp}}",
		"shards nowhere":   "{name: flux}, spec: {distribution: {version: 2.x, registry: a}, sharding: {shards: [a], storage: persistent}}",
		"an odd component": "{name: flux}, spec: {distribution: {version: 2.x, registry: a}, components: [teapot-controller]}",
	} {
		if _, err := o.tryApply("{apiVersion: fluxcd.controlplane.io/v1, kind: FluxInstance, metadata: " + spec + "}"); !apierrors.IsInvalid(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAFluxReportTellsWhatIsTrue(t *testing.T) {
	o := startOperator(t)
	o.instance("", syncGit)
	o.readyInstance()
	o.set("good", "", configMaps)
	o.set("bad", "", "resourcesTemplate: << nothing >>")
	o.set("rest", "fluxcd.controlplane.io/reconcile: disabled", configMaps)
	report := until(o, &fluxcdv1.FluxReport{}, "flux", "complete", func(r *fluxcdv1.FluxReport) bool {
		for _, kind := range r.Spec.Reconcilers {
			if kind.Kind == "ResourceSet" {
				return kind.Stats.Running == 2 && kind.Stats.Failing == 1 && kind.Stats.Suspended == 1 && isCurrent(r, r.Generation, "True")
			}
		}
		return false
	})
	s := report.Spec
	if s.Distribution.ManagedBy != "Hearth" || s.Distribution.Status != "Installed" || !strings.HasPrefix(s.Distribution.Version, "v2.") {
		t.Errorf("got the distribution %+v", s.Distribution)
	}
	if s.Cluster == nil || s.Cluster.ServerVersion == "" || s.Operator == nil || s.Operator.Version != "test" {
		t.Errorf("got the cluster %+v and the operator %+v", s.Cluster, s.Operator)
	}
	if len(s.Components) != 4 || !s.Components[0].Ready {
		t.Errorf("got the components %+v", s.Components)
	}
	if s.Sync == nil || s.Sync.ID != "kustomization/"+o.namespace || s.Sync.Source != "https://git.example.org/owner/home.git" || s.Sync.Path != "clusters/main" {
		t.Errorf("got the sync %+v", s.Sync)
	}
	o.apply(`{apiVersion: fluxcd.controlplane.io/v1, kind: FluxReport, metadata: {name: flux, annotations: {reconcile.fluxcd.io/requestedAt: "now"}}}`)
	until(o, &fluxcdv1.FluxReport{}, "flux", "acknowledged", func(r *fluxcdv1.FluxReport) bool { return r.Status.LastHandledReconcileAt == "now" })
}
