package causes

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"hearth/internal/diagnose"
)

const someRelease = `
spec:
  valuesFrom:
    - {kind: ConfigMap, name: settings}
  values:
    service:
      app:
        ports:
          http: {port: eighty}
      other:
        ports:
          http: {port: 80}
    controllers:
      app:
        annotations: {secret.reloader.example.com/reload: app}
        containers:
          app:
            envFrom:
              - secretRef: {name: app}
            resources: {limits: {memory: lots}}
`

func someObject(t *testing.T) *diagnose.Object {
	t.Helper()
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(someRelease), &fields); err != nil {
		t.Fatal(err)
	}
	return &diagnose.Object{Fields: fields}
}

func TestRefusedValue(t *testing.T) {
	for message, want := range map[string]string{
		`Service "app" is invalid: spec.ports[0].port: must be between 1 and 65535, inclusive`:                               "spec.values.service.app.ports.http.port",
		`Deployment.apps "app" is invalid: [spec.template.spec.containers[0].resources.limits.memory: Invalid value: "lots"`: "spec.values.controllers.app.containers.app.resources.limits.memory",
		`Service "main" is invalid: spec.ports[0].port: must be between 1 and 65535, inclusive`:                              "", // two might be
		`Service "app" is invalid: spec.clusterIP: Invalid value`:                                                            "",
		`timed out`: "",
	} {
		if got := strings.Join(refusedValue(someObject(t), message), "."); got != want {
			t.Errorf("%s: found %q, want %q", message, got, want)
		}
	}
}

func TestNaming(t *testing.T) {
	for _, test := range []struct{ kind, name, want string }{
		{"Secret", "app", "spec.values.controllers.app.containers.app.envFrom.0.secretRef.name"},
		{"ConfigMap", "settings", "spec.valuesFrom.0.name"},
		{"Secret", "settings", ""},
	} {
		if got := strings.Join(naming(someObject(t), test.kind, test.name), "."); got != test.want {
			t.Errorf("%s %s: found %q, want %q", test.kind, test.name, got, test.want)
		}
	}
}
