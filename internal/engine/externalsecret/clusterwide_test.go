package externalsecret

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/api/externalsecrets/v1alpha1"
	"hearth/internal/kube/scheme"
	"hearth/internal/kube/work"
)

// wide runs the reconciler of ClusterPushSecrets on objects in memory.
type wide struct {
	*testing.T
	*clusterwide
	// stuck lets no PushSecret be deleted.
	stuck bool
}

func startWide(t *testing.T, objects ...client.Object) *wide {
	t.Helper()
	w := &wide{T: t}
	c := fake.NewClientBuilder().WithScheme(scheme.New()).WithObjects(objects...).WithStatusSubresource(&v1alpha1.ClusterPushSecret{}).
		WithInterceptorFuncs(interceptor.Funcs{Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			if w.stuck {
				return errors.New("refused")
			}
			return c.Delete(ctx, obj, opts...)
		}}).Build()
	w.clusterwide = &clusterwide{spreadKind: spreadKinds[1], client: c, live: c, backoff: &work.Backoff[types.NamespacedName]{}}
	return w
}

// after changes the object and returns it as the next reconcile leaves it.
func (w *wide) after(change func(cps *v1alpha1.ClusterPushSecret)) *v1alpha1.ClusterPushSecret {
	w.Helper()
	cps, key := &v1alpha1.ClusterPushSecret{}, types.NamespacedName{Name: "all"}
	if err := w.client.Get(w.Context(), key, cps); err != nil {
		w.Fatal(err)
	}
	change(cps)
	if err := w.client.Update(w.Context(), cps); err != nil {
		w.Fatal(err)
	}
	if _, err := w.Reconcile(w.Context(), reconcile.Request{NamespacedName: key}); err != nil {
		w.Fatal(err)
	}
	if err := w.client.Get(w.Context(), key, cps); err != nil {
		w.Fatal(err)
	}
	return cps
}

func (w *wide) made(name string) bool {
	return w.client.Get(w.Context(), types.NamespacedName{Namespace: "media", Name: name}, &v1alpha1.PushSecret{}) == nil
}

func media() *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "media", Labels: map[string]string{"push": "true"}}}
}

func pushAll() *v1alpha1.ClusterPushSecret {
	return &v1alpha1.ClusterPushSecret{ObjectMeta: metav1.ObjectMeta{Name: "all", UID: "1"}, Spec: v1alpha1.ClusterPushSecretSpec{
		NamespaceSelectors: []*metav1.LabelSelector{{MatchLabels: map[string]string{"push": "true"}}},
	}}
}

// TestUnusableSelectorKeepsWhatThereIs holds that a mistake in a selector is
// told, and costs nothing that was made.
func TestUnusableSelectorKeepsWhatThereIs(t *testing.T) {
	w := startWide(t, media(), pushAll())
	if got := w.after(func(*v1alpha1.ClusterPushSecret) {}); !v1.IsReady(got.Status.Conditions) || !w.made("all") {
		t.Fatalf("status %+v", got.Status)
	}
	got := w.after(func(cps *v1alpha1.ClusterPushSecret) {
		cps.Spec.NamespaceSelectors[0].MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "push", Operator: "Is"}}
	})
	c := v1.GetCondition(got.Status.Conditions, v1.ConditionReady)
	if c == nil || c.Status != corev1.ConditionFalse || !strings.Contains(c.Message, `"Is" is not a valid label selector operator`) {
		t.Errorf("condition %+v", c)
	}
	if !w.made("all") || !slices.Equal(got.Status.ProvisionedNamespaces, []string{"media"}) {
		t.Errorf("status %+v", got.Status)
	}
	got = w.after(func(cps *v1alpha1.ClusterPushSecret) { cps.Spec.NamespaceSelectors = nil })
	if w.made("all") || len(got.Status.ProvisionedNamespaces) > 0 || !v1.IsReady(got.Status.Conditions) {
		t.Errorf("status %+v", got.Status)
	}
}

// TestRenamedUntilRemoved holds that what could not be deleted is not forgotten.
func TestRenamedUntilRemoved(t *testing.T) {
	w := startWide(t, media(), pushAll())
	w.after(func(*v1alpha1.ClusterPushSecret) {})
	w.stuck = true
	got := w.after(func(cps *v1alpha1.ClusterPushSecret) { cps.Spec.PushSecretName = "renamed" })
	if !w.made("renamed") || !w.made("all") || got.Status.PushSecretName != "all" || len(got.Status.FailedNamespaces) != 1 {
		t.Errorf("status %+v", got.Status)
	}
	w.stuck = false
	got = w.after(func(*v1alpha1.ClusterPushSecret) {})
	if !w.made("renamed") || w.made("all") || got.Status.PushSecretName != "renamed" || len(got.Status.FailedNamespaces) != 0 {
		t.Errorf("status %+v", got.Status)
	}
}
