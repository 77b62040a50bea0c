package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const claim = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: NS}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`

func (g *gitops) claim() *corev1.PersistentVolumeClaim {
	g.t.Helper()
	c := &corev1.PersistentVolumeClaim{}
	if err := g.client.Get(g.t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: "data"}, c); err != nil {
		g.t.Fatal(err)
	}
	return c
}

// away waits until a Kustomization is gone.
func (g *gitops) away(name string) {
	g.t.Helper()
	g.await("gone: Kustomization "+name, func() bool {
		err := g.client.Get(g.t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: name}, &kustomizev1.Kustomization{})
		if client.IgnoreNotFound(err) != nil {
			g.t.Fatal(err)
		}
		return apierrors.IsNotFound(err)
	})
}

// release frees the claim of the finalizer that protects it while in use.
func (g *gitops) release() {
	g.t.Helper()
	g.await("gone: the claim", func() bool {
		c := &corev1.PersistentVolumeClaim{}
		err := g.client.Get(g.t.Context(), apitypes.NamespacedName{Namespace: g.namespace, Name: "data"}, c)
		if err == nil && c.DeletionTimestamp != nil && len(c.Finalizers) > 0 {
			patch := client.RawPatch(apitypes.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
			err = client.IgnoreNotFound(g.client.Patch(g.t.Context(), c, patch))
		}
		return apierrors.IsNotFound(err)
	})
}

func renamed(name, more string) string {
	return fmt.Sprintf(`apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: %s, namespace: NS}
spec: {path: ./app, prune: true, interval: 1h, timeout: 5m, sourceRef: {kind: GitRepository, name: home}%s}
`, name, more)
}

// TestKustomizationRenameKeepsData renames a Kustomization in Git. The parent
// applies the new one and deletes the old one; whichever of them comes first,
// the claim stays the same.
func TestKustomizationRenameKeepsData(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"new first", "old first"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			g := startGitOps(t, map[string]string{
				"root/child.yaml": renamed("old", ""), "app/claim.yaml": claim, "app/a.yaml": configMap("a", "1"),
				"gate/g.yaml": configMap("gate", "1"),
			})
			g.kustomization("root", "{}")
			g.ready("root")
			g.ready("old")
			uid := g.claim().UID

			switch order {
			case "old first":
				// The old one's finalizer runs long before the new one may apply.
				g.push(map[string]string{"root/child.yaml": renamed("new", ", dependsOn: [{name: gate}]")})
				g.toldOf("old", fmt.Sprintf("TakeoverPending: Not deleted yet, since Kustomization %s/new is to take over: ", g.namespace))
				if c := g.claim(); c.UID != uid || c.DeletionTimestamp != nil {
					t.Fatal("the claim was deleted before the new Kustomization could take it over")
				}
				g.kustomization("gate", "{}")
			case "new first":
				g.push(map[string]string{"root/second.yaml": renamed("new", "")})
				g.await("applied: the new Kustomization", func() bool { return g.claim().Labels["kustomize.toolkit.fluxcd.io/name"] == "new" })
				g.push(map[string]string{"root/child.yaml": ""})
			}
			g.away("old")
			g.ready("new")
			c := g.claim()
			if c.UID != uid || c.DeletionTimestamp != nil || !g.exists("a") {
				t.Errorf("what the renamed Kustomization applies was deleted: %+v", c.ObjectMeta)
			}
			if owner := c.Labels["kustomize.toolkit.fluxcd.io/name"]; owner != "new" {
				t.Errorf("the claim belongs to %q", owner)
			}
			for _, e := range g.events("old") {
				if strings.HasPrefix(e, "DataPruned") {
					t.Errorf("a loss is told that there was not: %s", e)
				}
			}
		})
	}
}

// TestKustomizationMoveWaitsForTheNewOwner moves a claim from one Kustomization
// to another whose turn comes later.
func TestKustomizationMoveWaitsForTheNewOwner(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{
		"from/a.yaml": configMap("a", "1"), "from/claim.yaml": claim, "to/b.yaml": configMap("b", "1"), "gate/g.yaml": configMap("gate", "1"),
	})
	g.kustomization("gate", "{}")
	g.kustomization("from", "{timeout: 5m}")
	g.kustomization("to", "{dependsOn: [{name: gate}]}")
	g.ready("gate")
	first := g.ready("from")
	g.ready("to")
	uid := g.claim().UID
	g.kustomization("gate", "{suspend: true, path: ./elsewhere}") // not ready for its new spec
	g.push(map[string]string{"from/claim.yaml": "", "to/claim.yaml": claim})
	from := g.readyAgain("from", first.Status.LastAppliedRevision)
	if len(from.Status.Inventory.Entries) != 2 {
		t.Errorf("what waits for its new owner is not in the inventory: %+v", from.Status.Inventory)
	}
	g.toldOf("from", "TakeoverPending")
	g.kustomization("gate", "{suspend: false, path: ./gate}")
	g.readyAgain("to", first.Status.LastAppliedRevision)
	g.await("out of the old inventory", func() bool { return len(g.get("from").Status.Inventory.Entries) == 1 })
	if c := g.claim(); c.UID != uid || c.DeletionTimestamp != nil || c.Labels["kustomize.toolkit.fluxcd.io/name"] != "to" {
		t.Errorf("the claim did not move: %+v", c.ObjectMeta)
	}
}

// TestKustomizationTellsWhichDataGoes removes a claim and a namespace for good:
// Flux deletes them, and so does Hearth, but not silently.
func TestKustomizationTellsWhichDataGoes(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"apps/a.yaml": configMap("a", "1"), "apps/claim.yaml": claim})
	other := g.namespace + "-more"
	g.write(map[string]string{"apps/ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: NS-more}\n"})
	g.kustomization("apps", "{}")
	g.refresh <- struct{}{}
	g.await("applied: the namespace", func() bool {
		return g.client.Get(t.Context(), apitypes.NamespacedName{Name: other}, &corev1.Namespace{}) == nil
	})
	first := g.ready("apps")
	held := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: other, Name: "held"}, Spec: g.claim().Spec,
	}
	if err := g.client.Create(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	g.push(map[string]string{"apps/claim.yaml": "", "apps/ns.yaml": ""})
	g.readyAgain("apps", first.Status.LastAppliedRevision)
	g.toldOf("apps", "DataPruned: Deleted with the data they hold, since Git has them no longer: ")
	g.toldOf("apps", "PersistentVolumeClaim "+g.namespace+"/data")
	g.toldOf("apps", "Namespace "+other+" with PersistentVolumeClaim "+other+"/held")
	g.release()
}

// TestKustomizationTakeoverIsBounded deletes what a Kustomization that never
// comes to it was to take over, once the timeout is over, and says so.
func TestKustomizationTakeoverIsBounded(t *testing.T) {
	t.Parallel()
	g := startGitOps(t, map[string]string{"app/claim.yaml": claim})
	g.kustomization("old", "{path: ./app, timeout: 30s}")
	g.ready("old")
	g.kustomization("new", "{path: ./app, dependsOn: [{name: never}]}")
	if err := g.client.Delete(context.WithoutCancel(t.Context()), g.get("old")); err != nil {
		t.Fatal(err)
	}
	g.toldOf("old", "TakeoverPending")
	g.toldOf("old", "DataPruned: ")
	g.away("old")
	g.release()
}
