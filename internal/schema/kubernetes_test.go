package schema

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// object reads one from YAML.
func object(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	obj := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &obj); err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: obj}
}

// told are the messages of problems.
func told(problems []Problem) []string {
	var list []string
	for _, p := range problems {
		list = append(list, p.Message)
	}
	return list
}

// pod is a Pod whose container has the given fields.
func pod(container string) string {
	return "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: b, " + container + "}]}}"
}

func service(spec string) string {
	return "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {" + spec + "}}"
}

// TestKubernetes holds objects of Kubernetes against its own schemas.
func TestKubernetes(t *testing.T) {
	for name, test := range map[string]struct {
		object string
		want   []string
	}{
		"right":              {service("ports: [{port: 80, targetPort: http}, {name: b, port: 81, targetPort: 8081}]"), nil},
		"null is nothing":    {service("ports: null, selector: {a: null}"), nil},
		"status is skipped":  {"{apiVersion: v1, kind: Service, metadata: {name: a}, status: {nonsense: 1}}", nil},
		"metadata":           {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, label: {a: b}}}", []string{"unknown field `label` in `metadata`: did you mean `labels`"}},
		"annotation":         {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {a/b: 1}}}", []string{"`metadata.annotations[\"a/b\"]` is a whole number; a text is wanted"}},
		"unknown field":      {service("prots: []"), []string{"unknown field `prots` in `spec`: did you mean `ports`"}},
		"at the top":         {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, dta: {a: b}}", []string{"unknown field `dta`: did you mean `data`"}},
		"nothing alike":      {service("somethingElse: 1"), []string{"unknown field `somethingElse` in `spec`"}},
		"text for number":    {service("ports: [{port: \"80\"}]"), []string{"`spec.ports[0].port` is a text; a whole number is wanted"}},
		"fraction":           {service("ports: [{port: 80.5}]"), []string{"`spec.ports[0].port` is a number; a whole number is wanted"}},
		"whole as float":     {service("ports: [{port: 80.0}]"), nil},
		"too large":          {service("healthCheckNodePort: 4294967296"), []string{"`spec.healthCheckNodePort` does not fit in 32 bits"}},
		"int or text":        {service("ports: [{port: 80, targetPort: 1.5}]"), []string{"`spec.ports[0].targetPort` is a number; a whole number or a text is wanted"}},
		"mapping for list":   {service("ports: {port: 80}"), []string{"`spec.ports` is a mapping; a list is wanted"}},
		"list for mapping":   {service("selector: [a]"), []string{"`spec.selector` is a list; a mapping is wanted"}},
		"enum":               {service("type: Loadbalancer"), []string{"`spec.type` is `Loadbalancer`, which is none of `ClusterIP`, `ExternalName`, `LoadBalancer` and `NodePort`"}},
		"enum of items":      {"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {accessModes: [RWO]}}", []string{"`spec.accessModes[0]` is `RWO`, which is none of `ReadOnlyMany`, `ReadWriteMany`, `ReadWriteOnce` and `ReadWriteOncePod`"}},
		"empty enum":         {service("type: \"\""), nil},
		"missing":            {service("ports: [{name: http}]"), []string{"`spec.ports[0].port` is missing"}},
		"missing mapping":    {"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {}}}", []string{"`spec.template` is missing"}},
		"not really missing": {"{apiVersion: storage.k8s.io/v1, kind: CSIDriver, metadata: {name: a}}", nil},
		"port twice":         {service("ports: [{name: a, port: 53, protocol: UDP}, {name: b, port: 53}, {name: c, port: 53, protocol: TCP}]"), []string{"`spec.ports` has two items with the same `port` and `protocol`"}},
		"quantities":         {pod("resources: {limits: {cpu: 1, memory: 1.5Gi, a/b: 0.5, c: 1e3}}"), nil},
		"no quantity":        {pod("resources: {limits: {memory: 1 Gi}}"), []string{"`spec.containers[0].resources.limits.memory` is no quantity `1 Gi`: a number and one of the units m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei is wanted"}},
		"quantity is a list": {pod("resources: {limits: {memory: [1]}}"), []string{"`spec.containers[0].resources.limits.memory` is a list; a quantity is wanted, such as 500m or 10Gi"}},
		"env value":          {pod("env: [{name: A, value: 1}]"), []string{"`spec.containers[0].env[0].value` is a whole number; a text is wanted"}},
		"env twice":          {pod("env: [{name: A, value: b}, {name: A, value: c}]"), []string{"`spec.containers[0].env` has two items with the same `name`, `A`"}},
		"item is null":       {pod("ports: [null]"), []string{"item 0 of `spec.containers[0].ports` is null"}},
		"boolean":            {pod("tty: yes please"), []string{"`spec.containers[0].tty` is a text; true or false is wanted"}},
		"base64":             {"{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: YQ==, b: \"Y\\nQ==\", c: hunter2!}}", []string{"`data.c` is no base64"}},
		"time":               {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, creationTimestamp: yesterday}}", []string{"`metadata.creationTimestamp` is no time, such as 2006-01-02T15:04:05Z"}},
		"recursive schema":   {"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, spec: {group: a.b, names: {kind: A, plural: a}, scope: Namespaced, versions: [{name: v1, schema: {openAPIV3Schema: {properties: {a: {properties: {b: {tpye: string}}}}}}}]}}", []string{"unknown field `tpye` in `spec.versions[0].schema.openAPIV3Schema.properties.a.properties.b`: did you mean `type`"}},
		"object inside":      {"{apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: a}, data: {any: [thing]}, revision: 1}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			problems, known := Embedded().Validate(object(t, test.object), Options{})
			if !known {
				t.Error("the kind is not known")
			}
			if diff := cmp.Diff(test.want, told(problems)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPathsAndFixes(t *testing.T) {
	obj := object(t, service("prots: [], ports: [{port: \"80\"}, {}], publishNotReadyAddresses: \"yes\", externalName: 1"))
	problems, _ := Embedded().Validate(obj, Options{})
	var got []string
	for _, p := range problems {
		got = append(got, strings.Join(p.Path, "/")+": "+p.Fix)
	}
	want := []string{
		"spec/externalName: put the value in quotes",
		"spec/ports/0/port: write the number without quotes",
		"spec/ports/1: ",
		"spec/prots: write `ports`",
		"spec/publishNotReadyAddresses: write true, without quotes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths and fixes (-want +got):\n%s", diff)
	}
}

// TestValuesAreNotTold spoils a Secret and fields that look like credentials
// with a value that no message may hold.
func TestValuesAreNotTold(t *testing.T) {
	const value = "hunter2"
	d := definition(t, `{type: object, properties: {spec: {type: object, properties: {
		password: {type: string, enum: [a, b]}, adminToken: {type: string, pattern: "^x$"}, secret: {type: integer}, apiKey: {type: string, format: ipv4}}}}}`)
	for _, text := range []string{
		"{apiVersion: v1, kind: Secret, metadata: {name: a}, type: [hunter2], data: {a: hunter2}, stringData: {b: [hunter2]}, immutable: hunter2}",
		"{apiVersion: example.test/v1, kind: Widget, metadata: {name: a}, spec: {password: hunter2, adminToken: hunter2, secret: hunter2, apiKey: hunter2}}",
		pod("env: [{name: A, value: {hunter2: hunter2}}], resources: {limits: {token: hunter2}}"),
	} {
		problems, _ := Embedded().With(d).Validate(object(t, text), Options{})
		if len(problems) == 0 {
			t.Errorf("nothing is wrong with %s", text)
		}
		for _, p := range problems {
			if strings.Contains(p.Message+p.Fix, value) {
				t.Errorf("the value is told: %s (%s)", p.Message, p.Fix)
			}
			if !p.Sensitive {
				t.Errorf("%s is not marked as sensitive", p.Message)
			}
		}
	}
}

func TestUnknownValuesAreValid(t *testing.T) {
	unknown := func(text string) bool { return strings.Contains(text, "UNKNOWN") }
	d := definition(t, `{type: object, properties: {spec: {type: object, oneOf: [{required: [a]}, {required: [b]}], properties: {
		a: {type: integer}, b: {type: string, minLength: 9}, set: {type: array, x-kubernetes-list-type: set, items: {type: string}}}}}}`)
	for _, text := range []string{
		service("ports: [{port: UNKNOWN}], type: UNKNOWN, selector: UNKNOWN"),
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, UNKNOWN: b, annotations: UNKNOWN}, UNKNOWN: a}",
		"{apiVersion: example.test/v1, kind: Widget, metadata: {name: a}, spec: {a: UNKNOWN, b: UNKNOWN, set: [UNKNOWN, UNKNOWN]}}",
	} {
		if problems, _ := Embedded().With(d).Validate(object(t, text), Options{Unknown: unknown}); len(problems) > 0 {
			t.Errorf("%s: %v", text, told(problems))
		}
		if problems, _ := Embedded().With(d).Validate(object(t, text), Options{}); len(problems) == 0 {
			t.Errorf("%s: would be right even if its values were known", text)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	ports := slices.Repeat([]any{"wrong"}, 10*maxProblems)
	obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service", "spec": map[string]any{"ports": ports}}}
	if problems, _ := Embedded().Validate(obj, Options{}); len(problems) != maxProblems {
		t.Errorf("%d problems, want %d", len(problems), maxProblems)
	}
}
