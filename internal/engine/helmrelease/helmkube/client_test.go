package helmkube

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/kube"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"hearth/internal/kube/objects"
)

// mapper knows Services and Namespaces, and what is added later.
func mapper() *meta.DefaultRESTMapper {
	m := meta.NewDefaultRESTMapper(nil)
	m.Add(schema.GroupVersionKind{Version: "v1", Kind: "Service"}, meta.RESTScopeNamespace)
	m.Add(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, meta.RESTScopeRoot)
	return m
}

func connect(t *testing.T, m meta.RESTMapper) *Connection {
	t.Helper()
	c, err := Connect(&rest.Config{Host: "http://127.0.0.1:1"}, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const manifest = `apiVersion: v1
kind: Service
metadata: {name: a}
---
# nothing
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: b}}
- {apiVersion: v1, kind: Service, metadata: {name: c, namespace: other}, spec: {ports: [{port: 8080}]}}
`

func TestBuild(t *testing.T) {
	client := connect(t, mapper()).Client(t.Context(), Options{Namespace: "ns"})
	list, err := client.Build(strings.NewReader(manifest), true)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, info := range list {
		got = append(got, info.Mapping.Resource.Resource+"/"+info.Namespace+"/"+info.Name)
	}
	if diff := cmp.Diff([]string{"services/ns/a", "namespaces//b", "services/other/c"}, got); diff != "" {
		t.Errorf("built (-want +got):\n%s", diff)
	}
	ports, _, _ := unstructured.NestedSlice(list[2].Object.(*unstructured.Unstructured).Object, "spec", "ports")
	if port := ports[0].(map[string]any)["port"]; port != int64(8080) {
		t.Errorf("port is a %T", port)
	}
	select {
	case <-client.Rendered():
	default:
		t.Error("what is built was not rendered")
	}
}

func TestBuildOfAnUnknownKind(t *testing.T) {
	const widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n"
	t.Run("fails as in Helm", func(t *testing.T) {
		_, err := connect(t, mapper()).Client(t.Context(), Options{}).Build(strings.NewReader(widget), true)
		if err == nil || !strings.Contains(err.Error(), `no matches for kind "Widget" in version "example.com/v1"`) || !strings.Contains(err.Error(), `name: "w"`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("is made known", func(t *testing.T) {
		m := mapper()
		asked := 0
		client := connect(t, m).Client(t.Context(), Options{UnknownKind: func(_ context.Context, gvk schema.GroupVersionKind) (bool, error) {
			asked++
			m.Add(gvk, meta.RESTScopeNamespace)
			return true, nil
		}})
		if _, err := client.Build(strings.NewReader(widget), true); err != nil || asked != 1 {
			t.Errorf("asked %d times: %v", asked, err)
		}
	})
	t.Run("nobody knows it", func(t *testing.T) {
		client := connect(t, mapper()).Client(t.Context(), Options{UnknownKind: func(context.Context, schema.GroupVersionKind) (bool, error) { return false, nil }})
		if _, err := client.Build(strings.NewReader(widget), true); !meta.IsNoMatchError(errors.Unwrap(errors.Unwrap(err))) && !strings.Contains(err.Error(), "no matches") {
			t.Errorf("got %v", err)
		}
	})
}

func TestNothingBeginsAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := connect(t, mapper()).Client(ctx, Options{})
	cancel()
	if _, err := client.Build(strings.NewReader(manifest), true); !errors.Is(err, context.Canceled) {
		t.Errorf("build: %v", err)
	}
	if _, err := client.Create(nil); !errors.Is(err, context.Canceled) {
		t.Errorf("create: %v", err)
	}
	if _, err := client.Update(nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("update: %v", err)
	}
	if _, errs := client.Delete(nil, ""); len(errs) > 0 {
		t.Errorf("nothing can be cleaned up: %v", errs)
	}
	waiter, err := client.GetWaiter(kube.HookOnlyStrategy)
	if err != nil {
		t.Fatal(err)
	}
	if err := waiter.Wait(nil, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("wait: %v", err)
	}
	other := connect(t, mapper()).Client(t.Context(), Options{})
	other.Abandon()
	if err := other.IsReachable(); !errors.Is(err, errAbandoned) {
		t.Errorf("abandoned: %v", err)
	}
	if _, errs := other.Delete(nil, ""); len(errs) != 1 || !errors.Is(errs[0], errAbandoned) {
		t.Errorf("delete of what is abandoned: %v", errs)
	}
}

func TestComplete(t *testing.T) {
	condition := func(kind string) map[string]any {
		return map[string]any{"status": map[string]any{"conditions": []any{map[string]any{"type": kind, "status": "True", "message": "why"}}}}
	}
	phase := func(p string) map[string]any { return map[string]any{"status": map[string]any{"phase": p}} }
	for _, test := range []struct {
		name, kind string
		content    map[string]any
		done       bool
		says       string
	}{
		{"no Job", "Job", nil, false, ""},
		{"new Job", "Job", map[string]any{}, false, ""},
		{"complete Job", "Job", condition("Complete"), true, ""},
		{"failed Job", "Job", condition("Failed"), false, "resource Job/ns/x not ready. status: Failed, message: why"},
		{"running Pod", "Pod", phase("Running"), false, ""},
		{"succeeded Pod", "Pod", phase("Succeeded"), true, ""},
		{"failed Pod", "Pod", phase("Failed"), false, "Pod/ns/x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			key := objects.Key{}
			key.Kind, key.Namespace, key.Name = test.kind, "ns", "x"
			var obj *unstructured.Unstructured
			if test.content != nil {
				obj = &unstructured.Unstructured{Object: test.content}
			}
			done, err := complete(key, obj)
			if done != test.done || (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %t, %v", done, err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(manifest)
	f.Add("{}")
	f.Add("null\n---\n[1]")
	f.Fuzz(func(t *testing.T, content string) {
		objs, err := Decode(strings.NewReader(content))
		for _, obj := range objs {
			if err == nil && obj.GetAPIVersion() == "" && obj.GetKind() == "" {
				t.Error("an object that says nothing of itself")
			}
		}
	})
}
