package graph

import (
	"strings"
	"testing"
)

func TestPodSpecs(t *testing.T) {
	const pod = `{containers: [{name: app, image: "a:1", ports: [{containerPort: 80}]}], volumes: [{name: v, emptyDir: {}}]}`
	for _, test := range []struct{ name, object, path string }{
		{"pod", "apiVersion: v1\nkind: Pod\nspec: " + pod, "spec"},
		{"deployment", "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: " + pod + "}}", "spec.template.spec"},
		{"older version", "apiVersion: apps/v1beta2\nkind: DaemonSet\nspec: {template: {spec: " + pod + "}}", "spec.template.spec"},
		{"job", "apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: " + pod + "}}", "spec.template.spec"},
		{"cron job", "apiVersion: batch/v1\nkind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: " + pod + "}}}}", "spec.jobTemplate.spec.template.spec"},
		{"another group's kind of the same name", "apiVersion: example.com/v1\nkind: Deployment\nspec: {template: {spec: " + pod + "}}", ""},
		{"config map", "apiVersion: v1\nkind: ConfigMap\ndata: {}", ""},
		{"no template", "apiVersion: apps/v1\nkind: Deployment\nspec: {}", ""},
		{"a template that is a text", "apiVersion: apps/v1\nkind: Deployment\nspec: {template: x}", ""},
	} {
		specs := PodSpecs(objectOf(t, test.object))
		if test.path == "" {
			if len(specs) != 0 {
				t.Errorf("%s: %d specifications", test.name, len(specs))
			}
			continue
		}
		if len(specs) != 1 || strings.Join(specs[0].Path, ".") != test.path {
			t.Errorf("%s: %+v, want one at %s", test.name, specs, test.path)
			continue
		}
		if spec := specs[0].Spec; len(spec.Containers) != 1 || spec.Containers[0].Ports[0].ContainerPort != 80 || spec.Volumes[0].EmptyDir == nil {
			t.Errorf("%s: %+v", test.name, spec)
		}
	}
}

// TestPodSpecsOfWrongTypes keeps what can be read of what the API server would
// refuse.
func TestPodSpecsOfWrongTypes(t *testing.T) {
	specs := PodSpecs(objectOf(t, `
apiVersion: v1
kind: Pod
spec:
  hostNetwork: "yes"
  serviceAccountName: app
  containers:
    - {name: app, image: "a:1", ports: "none", envFrom: [{secretRef: {name: s}}]}
    - 7
  volumes: [{name: v, secret: {secretName: x}}, {name: w, emptyDir: "x"}]
`))
	if len(specs) != 1 {
		t.Fatalf("%d specifications", len(specs))
	}
	spec := specs[0].Spec
	if spec.ServiceAccountName != "app" {
		t.Errorf("the service account is %q", spec.ServiceAccountName)
	}
	if len(spec.Containers) != 2 || spec.Containers[0].Image != "a:1" || len(spec.Containers[0].EnvFrom) != 1 {
		t.Errorf("the containers are %+v", spec.Containers)
	}
	if len(spec.Volumes) != 2 || spec.Volumes[0].Secret == nil || spec.Volumes[1].Name != "w" {
		t.Errorf("the volumes are %+v", spec.Volumes)
	}
}
