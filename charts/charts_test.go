package charts

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// one is the smallest application, for tests about something else.
const one = "{image: {repository: example.com/app, tag: v1}}"

// expectation maps "Kind/name path" to the value in YAML. A path that starts
// with a slash after its parent is one key, dots and all. "absent" means that
// nothing is there.
type expectation map[string]string

// appCase is one set of values and what must come out of it for release "tea".
type appCase struct {
	name    string
	values  string
	objects []string // the whole inventory, where it matters
	want    expectation
}

func TestAppTemplate(t *testing.T) {
	c := load(t, "app-template")
	for _, group := range [][]appCase{namingCases, controllerCases, containerCases, volumeCases, networkCases, otherCases} {
		for _, test := range group {
			t.Run(test.name, func(t *testing.T) {
				objects, err := render(c, "tea", values(t, test.values))
				if err != nil {
					t.Fatal(err)
				}
				if test.objects != nil {
					if diff := cmp.Diff(test.objects, inventory(objects)); diff != "" {
						t.Errorf("objects (-want +got):\n%s", diff)
					}
				}
				for place, text := range test.want {
					check(t, objects, place, text)
				}
			})
		}
	}
}

// check compares one place of one object with its expected YAML.
func check(t *testing.T, objects []object, place, text string) {
	t.Helper()
	id, path, _ := strings.Cut(place, " ")
	kind, name, _ := strings.Cut(id, "/")
	found := find(objects, kind, name)
	if found == nil {
		t.Errorf("%s is missing from %v", id, inventory(objects))
		return
	}
	got := field(found, path)
	if text == "absent" {
		if got != nil {
			t.Errorf("%s: want nothing, got %v", place, got)
		}
		return
	}
	var want any
	if err := yaml.Unmarshal([]byte(text), &want); err != nil {
		t.Fatalf("%s: expectation: %v", place, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", place, diff)
	}
}

func TestAppTemplateRefuses(t *testing.T) {
	c := load(t, "app-template")
	two := fmt.Sprintf("controllers: {a: {containers: {x: %[1]s}}, b: {containers: {x: %[1]s}}}", one)
	single := fmt.Sprintf("controllers: {a: {containers: {x: %s}}}", one)
	for _, test := range []struct{ name, values, want string }{
		{"controller without containers", "controllers: {a: {}}", `controller "a" has no enabled container`},
		{"only container disabled", "controllers: {a: {containers: {x: {enabled: false}}}}", `controller "a" has no enabled container`},
		{"controllers as a list", "controllers: [a]", "controllers must be a map"},
		{"container without image", "controllers: {a: {containers: {x: {}}}}", `container "x" of controller "a" has no image`},
		{"image without tag", "controllers: {a: {containers: {x: {image: {repository: r}}}}}", "without tag or digest"},
		{"unknown type", fmt.Sprintf("controllers: {a: {type: robot, containers: {x: %s}}}", one), `unknown type "robot"`},
		{"unknown strategy", fmt.Sprintf("controllers: {a: {strategy: Hope, containers: {x: %s}}}", one), `unknown strategy "Hope"`},
		{"cronjob without schedule", fmt.Sprintf("controllers: {a: {type: cronjob, containers: {x: %s}}}", one), "cronjob without schedule"},
		{"service that could mean two controllers", two + "\nservice: {web: {ports: {http: {port: 80}}}}", `service "web" must say which controller it belongs to: there are a, b`},
		{"service of a controller that is off", single + "\nservice: {web: {controller: z, ports: {http: {port: 80}}}}", `refers to controller "z"`},
		{"service without ports", single + "\nservice: {web: {}}", `service "web" has no enabled port`},
		{"route without backend", single + "\nroute: {web: {hostnames: [a.example.com]}}", `route "web" has no backend`},
		{"route to an unknown service", single + "\nroute: {web: {rules: [{backendRefs: [{identifier: z}]}]}}", `refers to service "z"`},
		{"route to a name without port", single + "\nroute: {web: {rules: [{backendRefs: [{name: z}]}]}}", `backend "z" without its port`},
		{"containers in a circle", "controllers: {a: {containers: {one: {image: r:1, dependsOn: two}, two: {image: r:1, dependsOn: [one]}}}}", "in a circle among one, two"},
		{"claim without size", single + "\npersistence: {data: {storageClass: fast}}", `persistence "data" needs a size`},
		{"unknown volume type", single + "\npersistence: {data: {type: tape}}", `persistence "data" has the unknown type "tape"`},
		{"config map volume without name", single + "\npersistence: {data: {type: configMap}}", "needs a name or an identifier"},
		{"unknown service account", fmt.Sprintf("controllers: {a: {serviceAccount: {identifier: z}, containers: {x: %s}}}", one), `refers to serviceAccounts "z"`},
		{"template that does not parse", "controllers: {a: {containers: {x: {image: r:1, env: {A: '{{ .Nope'}}}}}", "unclosed action"},
	} {
		t.Run(test.name, func(t *testing.T) {
			objects, err := render(c, "tea", values(t, test.values))
			if err == nil {
				t.Fatalf("want an error about %q, got objects %v", test.want, inventory(objects))
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("want %q in the error, got: %v", test.want, err)
			}
		})
	}
}
