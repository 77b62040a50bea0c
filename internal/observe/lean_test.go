package observe

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"hearth/internal/domain"
)

// TestTrimmedObjectsHaveTheirStates holds that states are derived from what is
// kept of an object.
func TestTrimmedObjectsHaveTheirStates(t *testing.T) {
	for _, obj := range recordedObjects(t) {
		want := Tell(obj)
		trim(obj)
		if diff := cmp.Diff(want, Tell(obj), cmp.AllowUnexported(Standing{})); diff != "" {
			t.Errorf("%s %s: %s", obj.GetKind(), obj.GetName(), diff)
		}
	}
}

func TestTrimmedPodsHaveTheirStates(t *testing.T) {
	for name, object := range map[string]string{
		"nothing told": `
spec: {nodeName: k8s-1, containers: [{name: a}, {name: b}, {name: c}]}`,
		"a Secret that is mounted is missing": `
metadata: {namespace: media}
spec:
  nodeName: k8s-1
  containers: [{name: a}, {name: b}]
  volumes: [{name: tmp, emptyDir: {}}, {name: tls, secret: {secretName: immich-tls}}]`,
		"the second of three is told, and crashes": `
spec: {nodeName: k8s-1, restartPolicy: Always, containers: [{name: a}, {name: b}, {name: c}]}
status:
  containerStatuses:
  - name: b
    state: {waiting: {reason: CrashLoopBackOff}}
    lastState: {terminated: {exitCode: 1, startedAt: "2026-01-01T00:00:00Z", finishedAt: "2026-01-01T00:00:01Z"}}`,
		"all told but one run": `
spec: {nodeName: k8s-1, containers: [{name: a}, {name: b}, {name: c}]}
status:
  conditions: [{type: PodReadyToStartContainers, status: "True"}]
  containerStatuses: [{name: a, ready: true, state: {running: {}}}, {name: c, ready: true, state: {running: {}}}]`,
		"the sidecar runs, the second init container is next": `
spec:
  nodeName: k8s-1
  initContainers: [{name: proxy, restartPolicy: Always}, {name: migrate}, {name: seed}]
  containers: [{name: a}]
status:
  initContainerStatuses: [{name: proxy, started: true, state: {running: {}}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			p := &corev1.Pod{}
			if err := yaml.UnmarshalStrict([]byte(object), p); err != nil {
				t.Fatal(err)
			}
			evidence := PodEvidence{Find: func(domain.Ref) Presence { return Missing }}
			want := PodState(p, evidence)
			trim(p)
			if diff := cmp.Diff(want, PodState(p, evidence), cmp.AllowUnexported(Standing{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTrimDropsWhatIsNotLookedAt(t *testing.T) {
	p := &corev1.Pod{}
	if err := yaml.UnmarshalStrict([]byte(`
metadata:
  name: immich
  managedFields: [{manager: kubectl}]
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}", keep: me}
spec:
  containers: [{name: a, env: [{name: PASSWORD, value: secret}]}, {name: b}]
  volumes: [{name: tmp, emptyDir: {}}]
  tolerations: [{key: gpu}]`), p); err != nil {
		t.Fatal(err)
	}
	trim(p)
	want := &corev1.Pod{}
	want.Name, want.Annotations = "immich", map[string]string{"keep": "me"}
	want.Spec.Containers = []corev1.Container{{Name: "a"}}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
}
