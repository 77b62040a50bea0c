package diagnose

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/observe"
)

func objectOf(apiVersion, kind, namespace, name string, more map[string]any) *unstructured.Unstructured {
	content := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"namespace": namespace, "name": name}}
	for k, v := range more {
		content[k] = v
	}
	return &unstructured.Unstructured{Object: content}
}

func worldOf(list ...*unstructured.Unstructured) *World {
	w := NewWorld(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	for _, u := range list {
		w.Add(u)
	}
	return w
}

// TestSecretsHaveNoContent keeps values out of a world, whoever hands them in.
func TestSecretsHaveNoContent(t *testing.T) {
	w := worldOf(objectOf("v1", "Secret", "media", "s", map[string]any{"data": map[string]any{"k": "aHVudGVyMg=="}, "stringData": map[string]any{"k": "hunter2"}}))
	for _, o := range w.All(Secret) {
		if len(o.Fields) != 1 || !o.Has("metadata") {
			t.Errorf("more than marks are kept: %v", o.Fields)
		}
	}
}

// TestEventsOfAFormerObject leaves out what happened to another object of the
// same name, which is gone.
func TestEventsOfAFormerObject(t *testing.T) {
	claim := objectOf("v1", "PersistentVolumeClaim", "media", "data", nil)
	made := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)
	claim.SetCreationTimestamp(metav1.NewTime(made))
	w := worldOf(claim)
	for reason, after := range map[string]time.Duration{"former": -time.Second, "at once": 0, "later": time.Minute} {
		w.AddEvent(observe.Happening{Object: RefOf(Claim.Key("media", "data")), Reason: reason, Time: made.Add(after)})
	}
	var got []string
	for _, h := range w.Events(Claim.Key("media", "data")) {
		got = append(got, h.Reason)
	}
	if diff := cmp.Diff([]string{"later", "at once"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestTarget(t *testing.T) {
	route := map[string]any{"spec": map[string]any{"hostnames": []any{"photos.example.org", "*.lab.example.org"}}}
	w := worldOf(objectOf("v1", "Pod", "a", "web", nil), objectOf("v1", "Pod", "b", "web", nil), objectOf("gateway.networking.k8s.io/v1", "HTTPRoute", "a", "photos", route))
	for _, tt := range []struct {
		text, namespace string
		want            []Key
		missing, misuse bool
	}{
		{text: "all"},
		{text: "pod/web", want: []Key{Pod.Key("a", "web"), Pod.Key("b", "web")}},
		{text: "po/web", namespace: "b", want: []Key{Pod.Key("b", "web")}},
		{text: "Pod/a/web", want: []Key{Pod.Key("a", "web")}},
		{text: "photos.example.org", want: []Key{HTTPRoute.Key("a", "photos")}},
		{text: "x.lab.example.org", want: []Key{HTTPRoute.Key("a", "photos")}},
		{text: "pod/wep", missing: true},
		{text: "other.example.com", missing: true},
		{text: "gizmo/x", misuse: true},
		{text: "nonsense", misuse: true},
		{text: "a/b/c/d", misuse: true},
	} {
		got, err := w.Target(tt.text, tt.namespace)
		var missing *NotFoundError
		var misuse *MisuseError
		if errors.As(err, &missing) != tt.missing || errors.As(err, &misuse) != tt.misuse {
			t.Errorf("%s: %v", tt.text, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
	}
}

// TestCirclesEnd gives every object a reason to wait for the others.
func TestCirclesEnd(t *testing.T) {
	waits := func(name, on string) *unstructured.Unstructured {
		return objectOf("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "flux-system", name, map[string]any{
			"spec":   map[string]any{"dependsOn": []any{map[string]any{"name": on}, map[string]any{"name": name}}},
			"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "False", "reason": "DependencyNotReady", "message": "waits", "lastTransitionTime": "2026-03-01T10:00:00Z"}}},
		})
	}
	owned := objectOf("apps/v1", "ReplicaSet", "a", "r", nil)
	owned.Object["metadata"].(map[string]any)["uid"] = "r"
	owned.Object["metadata"].(map[string]any)["ownerReferences"] = []any{map[string]any{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r", "controller": true}}
	w := worldOf(waits("a", "b"), waits("b", "c"), waits("c", "a"), owned)
	r := Explain(t.Context(), w, Options{})
	if len(r.Unexplained) != 1 {
		t.Errorf("%d symptoms of one circle", len(r.Unexplained))
	}
	w.Pods(w.Get(ReplicaSet.Key("a", "r")))
	w.Workload(w.Get(ReplicaSet.Key("a", "r")))
	w.Bringer(w.Get(ReplicaSet.Key("a", "r")))
}

func TestServiceOf(t *testing.T) {
	for address, want := range map[string]Key{
		"http://connect.secrets.svc.cluster.local:8080": Service.Key("secrets", "connect"),
		"connect.secrets.svc:80":                        Service.Key("secrets", "connect"),
		"http://connect:8080":                           Service.Key("here", "connect"),
		"https://connect.example.org":                   {},
		"":                                              {},
		"://":                                           {},
	} {
		if got, _ := ServiceOf(address, "here"); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

func TestEdits(t *testing.T) {
	f := Fields{"metadata": map[string]any{"managedFields": []any{
		map[string]any{"manager": "kustomize-controller", "fieldsV1": map[string]any{"f:spec": map[string]any{"f:replicas": map[string]any{}}}},
		map[string]any{"manager": "kubectl-edit", "time": "2026-03-01T10:00:00Z", "fieldsV1": map[string]any{
			"f:metadata": map[string]any{"f:labels": map[string]any{"f:x": map[string]any{}}},
			"f:spec":     map[string]any{"f:replicas": map[string]any{}, "f:template": map[string]any{"f:metadata": map[string]any{"f:annotations": map[string]any{"f:kubectl.kubernetes.io/restartedAt": map[string]any{}}}}},
		}},
		map[string]any{"manager": "kubectl-edit", "subresource": "status", "fieldsV1": map[string]any{"f:spec": map[string]any{"f:x": map[string]any{}}}},
	}}}
	want := []Edit{{Manager: "kubectl-edit", Time: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), Fields: []string{"spec.replicas"}}}
	if diff := cmp.Diff(want, editsOf(f)); diff != "" {
		t.Error(diff)
	}
}
