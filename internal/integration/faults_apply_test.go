package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// role is a cluster-scoped object of the lab.
const role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: \"${ns}-reader\"}\nrules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]\n"

// TestFaultUnknownKind pushes a kind that nobody defined among others: nothing
// of it is applied. Once somebody defines the kind, all is, by itself.
func TestFaultUnknownKind(t *testing.T) {
	t.Parallel()
	l := startLab(t, map[string]string{"apps/a.yaml": plain("a", "1"), "apps/b.yaml": plain("b", "1"), "apps/role.yaml": role})
	l.dropDefinition("widgets.faults.example.org")
	applyApps(l)
	before := l.uids()

	l.push(map[string]string{
		"apps/a.yaml": plain("a", "2"), "apps/b.yaml": "", "apps/z.yaml": plain("z", "1"),
		"apps/m.yaml": "# not yet\napiVersion: faults.example.org/v1\nkind: Widget\nmetadata: {name: m}\nspec: {size: 1}\n",
	})
	failed := l.failed("apps", meta.ReconciliationFailedReason, "(apps/m.yaml:2)")
	l.told("apps", `no matches for kind "Widget"`, "apps/m.yaml:2")
	l.keeps(before)
	if l.exists("z") || l.configMap("a").Data["value"] != "1" {
		t.Error("an apply that cannot succeed applied something")
	}
	if got := len(failed.Status.Inventory.Entries); got != 3 {
		t.Errorf("the inventory lists %d objects", got)
	}

	l.apply(definition("faults.example.org", "Widget"))
	l.ready("apps")
	l.gone("b")
	l.equalsUndisturbed(applyApps)
}

// TestFaultImmutable changes what cannot be changed, without and with leave to
// replace it.
func TestFaultImmutable(t *testing.T) {
	t.Parallel()
	frozen := func(value string) string {
		return strings.Replace(plain("frozen", value), "\ndata:", "\nimmutable: true\ndata:", 1)
	}
	l := startLab(t, map[string]string{"apps/a.yaml": plain("a", "1"), "apps/b.yaml": plain("b", "1"), "apps/frozen.yaml": frozen("1")})
	applyApps(l)
	before := l.uids()

	l.push(map[string]string{"apps/a.yaml": plain("a", "2"), "apps/b.yaml": "", "apps/frozen.yaml": frozen("2")})
	l.failed("apps", meta.ReconciliationFailedReason, "(apps/frozen.yaml:1)")
	l.told("apps", "immutable", "apps/frozen.yaml:1")
	l.keeps(before)
	if l.configMap("frozen").Data["value"] != "1" || l.configMap("a").Data["value"] != "1" {
		t.Error("something was applied beside what was refused")
	}

	replace := func(l *lab) {
		l.kustomization("apps", "{force: true}")
		l.ready("apps")
	}
	replace(l)
	l.gone("b")
	delete(before, "b")
	if l.configMap("frozen").UID == before["frozen"] {
		t.Error("what cannot be changed was not replaced")
	}
	delete(before, "frozen")
	l.keeps(before)
	l.equalsUndisturbed(replace)
}

// TestFaultAdmission lets a policy of the cluster refuse an object.
func TestFaultAdmission(t *testing.T) {
	t.Parallel()
	l := startLab(t, map[string]string{"apps/a.yaml": plain("a", "1"), "apps/b.yaml": plain("b", "1")})
	applyApps(l)
	before := l.uids()
	lift := l.forbid("object.metadata.name != 'bad'", "no bad things here")

	l.push(map[string]string{"apps/a.yaml": plain("a", "2"), "apps/b.yaml": "", "apps/bad.yaml": "\n" + plain("bad", "1")})
	l.failed("apps", meta.ReconciliationFailedReason, "no bad things here")
	l.told("apps", "no bad things here", "apps/bad.yaml:2")
	l.keeps(before)
	if l.exists("bad") || l.configMap("a").Data["value"] != "1" {
		t.Error("something was applied beside what was refused")
	}

	lift()
	l.ready("apps") // by itself
	l.gone("b")
	l.equalsUndisturbed(applyApps)
}

// forbid has the server refuse ConfigMaps of the lab's namespace that do not
// meet an expression, and returns how to lift that.
func (l *lab) forbid(expression, message string) (lift func()) {
	l.t.Helper()
	deny := admissionv1.Fail
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: l.namespace},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy: &deny,
			MatchConstraints: &admissionv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: l.namespace}},
				ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
				}}},
			},
			Validations: []admissionv1.Validation{{Expression: expression, Message: message}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: l.namespace},
		Spec:       admissionv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: l.namespace, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny}},
	}
	lift = func() {
		for _, obj := range []client.Object{binding, policy} {
			if err := l.client.Delete(context.Background(), obj); client.IgnoreNotFound(err) != nil {
				l.t.Error(err)
			}
		}
	}
	l.t.Cleanup(lift)
	for _, obj := range []client.Object{policy, binding} {
		if err := l.client.Create(l.t.Context(), obj); err != nil {
			l.t.Fatal(err)
		}
	}
	comesTo(l.t, func() bool {
		try := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: l.namespace, Name: "bad"}}
		err := l.client.Create(l.t.Context(), try, client.DryRunAll)
		return err != nil && strings.Contains(err.Error(), message)
	}, func() string { return "the policy does not come into force" })
	return lift
}

// TestFaultCycle lets Kustomizations from Git wait for one another.
func TestFaultCycle(t *testing.T) {
	t.Parallel()
	child := func(name, dependsOn string) string {
		return fmt.Sprintf("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: %s\nspec:\n  interval: 1h\n  prune: true\n  path: ./%s\n  targetNamespace: ${ns}\n  sourceRef: {kind: GitRepository, name: home}\n  dependsOn:%s\n", name, name, dependsOn)
	}
	l := startLab(t, map[string]string{
		"root/a.yaml": child("a", " []"), "root/b.yaml": child("b", "\n  - name: a"), "root/c.yaml": child("c", "\n  - name: b"),
		"a/a.yaml": plain("a", "1"), "b/b.yaml": plain("b", "1"), "c/c.yaml": plain("c", "1"),
	})
	begin := func(l *lab) {
		l.kustomization("root", "{}")
		l.ready("root", "a", "b", "c")
	}
	begin(l)
	before := l.uids()

	l.push(map[string]string{"root/a.yaml": child("a", "\n  - name: c")})
	l.ready("root")
	// Those that were ready at that revision before they depended on one
	// another stay so; at the next one all wait.
	l.push(map[string]string{"a/a.yaml": plain("a", "2"), "b/b.yaml": ""})
	l.ready("root")
	cycle := fmt.Sprintf("dependency cycle %[1]s/a → %[1]s/c → %[1]s/b → %[1]s/a", l.namespace)
	l.failed("a", meta.DependencyNotReadyReason, cycle)
	l.failed("a", meta.DependencyNotReadyReason, "(root/a.yaml:12)")
	l.told("a", cycle)
	l.reconcile("a")
	l.keeps(before)
	if l.configMap("a").Data["value"] != "1" {
		t.Error("a was applied before what it waits for")
	}

	l.push(map[string]string{"root/a.yaml": child("a", " []"), "b/b2.yaml": plain("b2", "1")})
	l.ready("root", "a", "b", "c")
	l.gone("b")
	l.equalsUndisturbed(begin)
}

// TestFaultFinalizer prunes and deletes what does not go: who waits for it
// waits no longer than its timeout, and others do not wait.
func TestFaultFinalizer(t *testing.T) {
	t.Parallel()
	held := func(name, value string) string {
		return strings.Replace(plain(name, value), "metadata:", "metadata:\n  finalizers: [example.org/held]", 1)
	}
	l := startLab(t, map[string]string{
		"apps/a.yaml": held("a", "1"), "apps/b.yaml": plain("b", "1"), "waits/w.yaml": held("w", "1"), "other/o.yaml": plain("o", "1"),
	})
	t.Cleanup(func() { l.unhold("a"); l.unhold("w") })
	begin := func(l *lab) {
		l.kustomization("apps", "{}")
		l.kustomization("other", "{}")
		l.ready("apps", "other")
	}
	begin(l)
	l.kustomization("waits", "{deletionPolicy: WaitForTermination, timeout: 30s}")
	l.ready("waits")

	if err := l.client.Delete(t.Context(), l.get("waits")); err != nil {
		t.Fatal(err)
	}
	comesTo(t, func() bool { return l.configMap("w").DeletionTimestamp != nil }, func() string { return "w was not deleted" })
	l.push(map[string]string{"apps/a.yaml": "", "apps/b.yaml": plain("b", "2"), "other/o.yaml": plain("o", "2")})
	l.ready("apps", "other")
	comesTo(t, func() bool { return l.configMap("a").DeletionTimestamp != nil }, func() string { return "a was not pruned" })
	if l.configMap("b").Data["value"] != "2" || l.configMap("o").Data["value"] != "2" {
		t.Error("what is held held up others")
	}
	if l.get("waits").DeletionTimestamp == nil {
		t.Error("the deleted Kustomization is not marked so")
	}

	l.told("waits", "failed to wait for resources termination")
	comesTo(t, func() bool {
		err := l.client.Get(t.Context(), client.ObjectKey{Namespace: l.namespace, Name: "waits"}, l.get("other"))
		return apierrors.IsNotFound(err)
	}, func() string { return "the Kustomization waits for longer than its timeout" })
	l.unhold("a")
	l.unhold("w")
	l.gone("a")
	l.gone("w")
	l.equalsUndisturbed(begin)
}

// unhold takes finalizers off a ConfigMap.
func (l *lab) unhold(name string) {
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: l.namespace, Name: name}}
	err := l.client.Patch(context.Background(), cm, client.RawPatch(apitypes.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
	if client.IgnoreNotFound(err) != nil {
		l.t.Error(err)
	}
}

// TestFaultRevoked takes rights from the account that a Kustomization acts as:
// first all of them, then the one to delete.
func TestFaultRevoked(t *testing.T) {
	t.Parallel()
	l := startLab(t, map[string]string{"apps/a.yaml": plain("a", "1"), "apps/b.yaml": plain("b", "1"), "other/o.yaml": plain("o", "1")})
	begin := func(l *lab) {
		l.grant("'*'")
		l.kustomization("apps", "{serviceAccountName: apps}")
		l.kustomization("other", "{}")
		l.ready("apps", "other")
	}
	begin(l)
	before := l.uids()

	l.grant("get")
	l.push(map[string]string{"apps/a.yaml": plain("a", "2"), "apps/b.yaml": "", "other/o.yaml": plain("o", "2")})
	l.failed("apps", meta.ReconciliationFailedReason, "system:serviceaccount:"+l.namespace+":apps")
	l.told("apps", "(apps/a.yaml:1)")
	l.ready("other")
	l.keeps(before)
	if l.configMap("a").Data["value"] != "1" {
		t.Error("a was changed without the right to")
	}

	l.grant("get, list, create, update, patch")
	l.failed("apps", meta.PruneFailedReason, "cannot delete resource")
	l.keeps(before)
	if inventory := l.get("apps").Status.Inventory; len(inventory.Entries) != 2 {
		t.Errorf("what could not be pruned is forgotten: %v", inventory)
	}

	l.grant("'*'")
	l.ready("apps")
	l.gone("b")
	l.equalsUndisturbed(begin)
}

// grant lets the account "apps" do so much with ConfigMaps.
func (l *lab) grant(verbs string) {
	l.t.Helper()
	l.apply(fmt.Sprintf("{apiVersion: v1, kind: ServiceAccount, metadata: {name: apps, namespace: %s}}", l.namespace))
	l.apply(fmt.Sprintf("{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: apps, namespace: %s}, rules: [{apiGroups: [''], resources: [configmaps], verbs: [%s]}]}", l.namespace, verbs))
	l.apply(fmt.Sprintf("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: apps, namespace: %[1]s}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: apps}, subjects: [{kind: ServiceAccount, name: apps, namespace: %[1]s}]}", l.namespace))
}

// TestFaultTwoOwners has two Kustomizations apply the same object: both are
// named, nobody fights, and once one of them drops it the other keeps it.
func TestFaultTwoOwners(t *testing.T) {
	t.Parallel()
	l := startLab(t, map[string]string{
		"first/a.yaml": plain("a", "1"), "first/x.yaml": plain("x", "of first"),
		"second/b.yaml": plain("b", "1"), "second/x.yaml": plain("x", "of second"),
	})
	l.kustomization("first", "{}")
	l.ready("first")
	before := l.uids()
	l.kustomization("second", "{}")
	l.ready("second")
	both := func(one, other string) string {
		return fmt.Sprintf("Kustomizations %[1]s/%[2]s and %[1]s/%[3]s both apply ConfigMap %[1]s/x", l.namespace, one, other)
	}
	l.told("second", "SharedOwnership", both("second", "first"))
	l.reconcile("first")
	l.told("first", "SharedOwnership", both("first", "second"))
	rests := l.configMap("x")
	time.Sleep(time.Second)
	if now := l.configMap("x"); now.Data["value"] != "of first" || now.ResourceVersion != rests.ResourceVersion {
		t.Errorf("nobody looked again, and x is %q", now.Data["value"])
	}

	l.push(map[string]string{"first/x.yaml": ""})
	l.ready("first", "second")
	comesTo(t, func() bool { return l.configMap("x").Data["value"] == "of second" }, func() string { return "who keeps x did not take it" })
	l.keeps(before)
	l.equalsUndisturbed(func(l *lab) {
		l.kustomization("first", "{}")
		l.kustomization("second", "{}")
		l.ready("first", "second")
	})
}
