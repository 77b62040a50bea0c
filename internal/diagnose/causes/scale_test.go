package causes

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"hearth/internal/diagnose"
)

// application is one of a homelab: its Kustomization, release, secret, workload,
// pod, Service and route. %[1]s is its name.
const application = `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: %[1]s, namespace: flux-system, generation: 1, creationTimestamp: "2026-02-01T00:00:00Z"}
spec: {path: ./apps/%[1]s, interval: 1h, sourceRef: {kind: GitRepository, name: flux-system}, dependsOn: [{name: secrets}]}
status:
  observedGeneration: 1
  conditions: [{type: Ready, status: "True", reason: ReconciliationSucceeded, lastTransitionTime: "2026-03-01T11:00:00Z", message: Applied}]
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: %[1]s, namespace: apps, generation: 1, creationTimestamp: "2026-02-01T00:00:00Z"}
spec: {interval: 1h, chartRef: {kind: OCIRepository, name: app-template, namespace: flux-system}}
status:
  observedGeneration: 1
  conditions: [{type: Ready, status: "True", reason: InstallSucceeded, lastTransitionTime: "2026-03-01T11:00:00Z", message: installed}]
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: %[1]s, namespace: apps, generation: 1, creationTimestamp: "2026-02-01T00:00:00Z"}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: onepassword}, target: {name: %[1]s-secret}, dataFrom: [{extract: {key: %[1]s}}]}
status:
  refreshTime: "2026-03-01T10:00:00Z"
  conditions: [{type: Ready, status: "%[2]s", reason: SecretSynced, lastTransitionTime: "2026-03-01T11:00:00Z", message: '%[3]s'}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, namespace: apps, uid: d-%[1]s, labels: {helm.toolkit.fluxcd.io/name: %[1]s, helm.toolkit.fluxcd.io/namespace: apps}, creationTimestamp: "2026-02-01T00:00:00Z"}
spec: {replicas: 1}
status: {availableReplicas: %[4]d}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: %[1]s-1, namespace: apps, uid: r-%[1]s, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: %[1]s, uid: d-%[1]s, controller: true}]}
---
apiVersion: v1
kind: Pod
metadata: {name: %[1]s-1-a, namespace: apps, creationTimestamp: "2026-03-01T10:00:00Z", labels: {app: %[1]s}, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: %[1]s-1, uid: r-%[1]s, controller: true}]}
spec: {nodeName: k8s-1, containers: [{name: app, image: "ghcr.io/owner/%[1]s:v1", envFrom: [{secretRef: {name: %[1]s-secret}}]}]}
status:
  phase: Running
  conditions: [{type: Ready, status: "%[2]s", lastTransitionTime: "2026-03-01T11:00:00Z"}]
  containerStatuses: [{name: app, ready: %[5]t, started: %[5]t, restartCount: 0, state: {%[6]s}}]
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s, namespace: apps, creationTimestamp: "2026-02-01T00:00:00Z"}
spec: {selector: {app: %[1]s}, ports: [{port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: %[1]s, namespace: apps, generation: 1, creationTimestamp: "2026-02-01T00:00:00Z"}
spec: {hostnames: [%[1]s.example.org], parentRefs: [{name: internal, namespace: network}], rules: [{backendRefs: [{name: %[1]s, port: 80}]}]}
status:
  parents:
  - {controllerName: c, parentRef: {name: internal, namespace: network}, conditions: [{type: Accepted, status: "True", reason: Accepted, lastTransitionTime: "2026-03-01T11:00:00Z"}, {type: ResolvedRefs, status: "True", reason: ResolvedRefs, lastTransitionTime: "2026-03-01T11:00:00Z"}]}
`

// homelab makes the objects of a homelab, some applications of which wait for
// their Secrets, since Connect is down.
func homelab(t testing.TB, applications, blocked int) []*unstructured.Unstructured {
	var list []*unstructured.Unstructured
	for i := range applications {
		name := fmt.Sprintf("app-%03d", i)
		text := fmt.Sprintf(application, name, "True", "synced", 1, true, `running: {startedAt: "2026-03-01T10:00:05Z"}`)
		if i < blocked {
			text = fmt.Sprintf(application, name, "False", "dial tcp 10.43.0.9:8080: connect: connection refused", 0, false,
				`waiting: {reason: CreateContainerConfigError, message: secret "`+name+`-secret" not found}`)
		} else {
			text += "\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: " + name + "-secret, namespace: apps}\n"
		}
		for doc := range strings.SplitSeq(text, "\n---\n") {
			object := map[string]any{}
			if err := yaml.Unmarshal([]byte(doc), &object); err != nil {
				t.Fatal(err)
			}
			list = append(list, &unstructured.Unstructured{Object: object})
		}
	}
	return append(list, ready("network", "Gateway", "gateway.networking.k8s.io/v1", "internal"), ready("", "ClusterSecretStore", "external-secrets.io/v1", "onepassword"))
}

func ready(namespace, kind, apiVersion, name string) *unstructured.Unstructured {
	var conditions []any
	for _, c := range []string{"Ready", "Accepted", "Programmed"} {
		conditions = append(conditions, map[string]any{"type": c, "status": "True", "reason": "Valid", "lastTransitionTime": "2026-03-01T11:00:00Z"})
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind,
		"metadata": map[string]any{"name": name, "namespace": namespace}, "status": map[string]any{"conditions": conditions}}}
}

func worldOf(list []*unstructured.Unstructured) *diagnose.World {
	w := diagnose.NewWorld(now)
	for _, u := range list {
		w.Add(u)
	}
	return w
}

// TestOneCause tells one cause of forty blocked applications once, and nothing
// of a homelab of which none is.
func TestOneCause(t *testing.T) {
	r := Explain(t.Context(), worldOf(homelab(t, 100, 40)), diagnose.Options{})
	if len(r.Findings) != 1 || len(r.Unexplained) != 0 {
		for _, f := range r.Findings {
			t.Errorf("found %s: %s", f.Cause, f.Sentence)
		}
		t.Fatalf("%d findings and %d unexplained, want one finding", len(r.Findings), len(r.Unexplained))
	}
	if f := r.Findings[0]; f.Cause != "connect-down" || len(f.Blocked) != 3*40 {
		t.Errorf("%s blocks %d objects, want connect-down and 120", f.Cause, len(f.Blocked))
	}
	if r := Explain(t.Context(), worldOf(homelab(t, 100, 0)), diagnose.Options{}); !r.Healthy() {
		t.Errorf("a healthy homelab has %d findings and %d unexplained", len(r.Findings), len(r.Unexplained))
	}
}

// TestOfOne limits the report to what concerns an object.
func TestOfOne(t *testing.T) {
	list := homelab(t, 4, 2)
	for text, want := range map[string]int{"ks/app-000": 0, "hr/app-000": 1, "pod/app-001-1-a": 1, "app-001.example.org": 1, "hr/app-003": 0, "app-003.example.org": 0} {
		w := worldOf(list)
		of, err := w.Target(text, "")
		if err != nil {
			t.Fatal(err)
		}
		if r := Explain(t.Context(), w, diagnose.Options{Of: of}); len(r.Findings) != want {
			t.Errorf("%s: %d findings, want %d", text, len(r.Findings), want)
		}
	}
}

// BenchmarkExplain explains all of 100 applications with 40 blocked.
func BenchmarkExplain(b *testing.B) {
	list := homelab(b, 100, 40)
	for b.Loop() {
		if r := Explain(b.Context(), worldOf(list), diagnose.Options{}); len(r.Findings) != 1 {
			b.Fatal(len(r.Findings))
		}
	}
}

// FuzzMessages puts anything where controllers write their messages.
func FuzzMessages(f *testing.F) {
	for _, text := range []string{"", `no item "x" in vault(s) y`, `couldn't find key a in Secret b/c`, `no matches for kind "A" in version "b/v1"`, `failed calling webhook "x"`, "429", "\x1b[2J\n", `is invalid: spec.selector: Invalid value: "x": field is immutable`, `Deployment/ dry-run failed`} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, message, name string) {
		list := homelab(t, 1, 1)
		for _, u := range list {
			conditions, ok, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
			if !ok {
				continue
			}
			for _, c := range conditions {
				c := c.(map[string]any)
				c["status"], c["message"], c["reason"] = "False", message, name
			}
			if err := unstructured.SetNestedSlice(u.Object, conditions, "status", "conditions"); err != nil {
				t.Fatal(err)
			}
			u.SetName(name)
		}
		w := worldOf(list)
		w.Settled = true
		r := Explain(t.Context(), w, diagnose.Options{})
		if r.Healthy() {
			t.Error("all is wrong, and nothing was found")
		}
		for _, f := range r.Findings {
			if strings.ContainsAny(f.Sentence+strings.Join(f.Commands, ""), "\x1b\n\r") || len(f.Sentence) > 4096 {
				t.Errorf("unfit to be told: %q", f.Sentence)
			}
		}
	})
}
