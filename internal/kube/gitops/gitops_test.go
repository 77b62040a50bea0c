package gitops

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func TestParseTargets(t *testing.T) {
	for _, test := range []struct {
		args []string
		want []Target
		err  string
	}{
		{[]string{"ks/apps"}, []Target{{Kind: "ks", Name: "apps"}}, ""},
		{[]string{"ks/flux-system/apps", "hr/echo"}, []Target{{"ks", "flux-system", "apps"}, {Kind: "hr", Name: "echo"}}, ""},
		{[]string{"ks", "apps", "config"}, []Target{{Kind: "ks", Name: "apps"}, {Kind: "ks", Name: "config"}}, ""},
		{[]string{"deployments.apps/echo"}, []Target{{Kind: "deployments.apps", Name: "echo"}}, ""},
		{[]string{"apps"}, nil, "names no object"},
		{[]string{"ks", "a/b"}, nil, "is no name"},
		{[]string{"ks/apps", "config"}, nil, "names no object"},
		{[]string{"ks/"}, nil, "names no object"},
		{[]string{"/apps"}, nil, "names no object"},
		{[]string{"ks/a/b/c"}, nil, "names no object"},
		{slices.Repeat([]string{"ks/apps"}, maxTargets+1), nil, "more than"},
	} {
		got, err := ParseTargets(test.args)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%.60q: %s", test.args, diff)
		}
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%.60q: error %v, want %q", test.args, err, test.err)
		}
	}
}

func FuzzParseTargets(f *testing.F) {
	f.Add("ks/apps", "hr/media/immich")
	f.Add("ks", "apps")
	f.Fuzz(func(t *testing.T, a, b string) {
		targets, err := ParseTargets([]string{a, b})
		for _, target := range targets {
			if target.Kind == "" || target.Name == "" || strings.Contains(target.Kind+target.Namespace+target.Name, "/") {
				t.Errorf("%q %q: %+v", a, b, target)
			}
		}
		if err == nil && len(targets) == 0 {
			t.Errorf("%q %q: nothing, and no error", a, b)
		}
	})
}

// TestKindsHaveNamesOfTheirOwn holds that no name stands for two kinds, and
// that each kind goes by its own.
func TestKindsHaveNamesOfTheirOwn(t *testing.T) {
	taken := map[string]string{}
	for _, kind := range Kinds {
		for _, name := range append([]string{strings.ToLower(kind.Kind)}, kind.Names...) {
			if other, ok := taken[name]; ok {
				t.Errorf("%q stands for %s and %s", name, other, kind.Kind)
			}
			taken[name] = kind.Kind
			if got, ok := ParseKind(strings.ToUpper(name)); !ok || got.Kind != kind.Kind {
				t.Errorf("%q is %q, want %s", name, got.Kind, kind.Kind)
			}
		}
		if got, ok := ParseKind(kind.Kind + "." + kind.Group); !ok || got.Kind != kind.Kind {
			t.Errorf("%s with its group is %q", kind.Kind, got.Kind)
		}
	}
	if kind, ok := ParseKind("kustomization.kustomize.config.k8s.io"); ok {
		t.Errorf("a kind of another group is taken for %s", kind.Kind)
	}
}

func TestSources(t *testing.T) {
	at := func(kind, namespace, name string) Reference {
		return Reference{kind, types.NamespacedName{Namespace: namespace, Name: name}}
	}
	ref := func(fields ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(fields); i += 2 {
			m[fields[i].(string)] = fields[i+1]
		}
		return m
	}
	for name, test := range map[string]struct {
		kind, status string
		spec         map[string]any
		want         []Reference
	}{
		"Kustomization":     {kind: "ks", spec: ref("sourceRef", ref("kind", "GitRepository", "name", "home")), want: []Reference{at("GitRepository", "apps", "home")}},
		"another namespace": {kind: "ks", spec: ref("sourceRef", ref("kind", "Bucket", "name", "b", "namespace", "x")), want: []Reference{at("Bucket", "x", "b")}},
		"chartRef":          {kind: "hr", spec: ref("chartRef", ref("kind", "OCIRepository", "name", "chart")), want: []Reference{at("OCIRepository", "apps", "chart")}},
		"chart": {
			kind: "hr", status: "repo/apps-echo", spec: ref("chart", ref("spec", ref("sourceRef", ref("kind", "HelmRepository", "name", "r", "namespace", "repo")))),
			want: []Reference{at("HelmRepository", "repo", "r"), at("HelmChart", "repo", "apps-echo")},
		},
		"none": {kind: "gitrepo", spec: ref("url", "https://git.example.com")},
	} {
		kind, _ := ParseKind(test.kind)
		obj := &unstructured.Unstructured{Object: map[string]any{"spec": test.spec, "status": map[string]any{"helmChart": test.status}}}
		obj.SetNamespace("apps")
		if diff := cmp.Diff(test.want, Object{obj, kind}.Sources()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSuspended(t *testing.T) {
	kustomization, _ := ParseKind("ks")
	set, _ := ParseKind("rset")
	secret, _ := ParseKind("es")
	object := func(kind Kind, annotation string, suspend bool) Object {
		obj := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"suspend": suspend}}}
		obj.SetAnnotations(map[string]string{groupOperator + "/reconcile": annotation})
		return Object{obj, kind}
	}
	for name, test := range map[string]struct {
		o    Object
		want bool
	}{
		"spec.suspend":           {object(kustomization, "", true), true},
		"spec.suspend is false":  {object(kustomization, "disabled", false), false},
		"annotation":             {object(set, "disabled", false), true},
		"annotation is enabled":  {object(set, "enabled", true), false},
		"a kind that has no way": {object(secret, "disabled", true), false},
	} {
		if got := test.o.Suspended(); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
