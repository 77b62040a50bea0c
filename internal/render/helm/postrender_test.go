package helm

import (
	"testing"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestPostRenderStrategies tells what reaches a post-renderer, and in which
// order objects are then.
func TestPostRenderStrategies(t *testing.T) {
	files := map[string]string{
		"demo/templates/b.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: b}\n",
		"demo/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: late, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: \"5\"}}\n---\n" +
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: early, annotations: {helm.sh/hook: pre-install}}\n",
	}
	for strategy, want := range map[helmv2.PostRenderStrategy]struct{ runs, order []string }{
		"":         {[]string{"late early b"}, []string{"early!", "late!", "b!"}},
		"combined": {[]string{"late early b"}, []string{"early!", "late!", "b!"}},
		"separate": {[]string{"late early", "b"}, []string{"early!", "late!", "b!"}},
		"nohooks":  {[]string{"b"}, []string{"early", "late", "b!"}},
	} {
		t.Run(string(strategy), func(t *testing.T) {
			var runs, order []string
			post := PostRender{Strategy: strategy, Run: func(objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
				run := ""
				for _, o := range objects {
					if run != "" {
						run += " "
					}
					run += o.GetName()
					o.SetName(o.GetName() + "!")
				}
				runs = append(runs, run)
				return objects, nil
			}}
			objects, err := manifests(nil, files, post)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range objects {
				order = append(order, o.GetName())
			}
			if diff := cmp.Diff(want.runs, runs); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.order, order); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := manifests(nil, files, PostRender{Strategy: "odd", Run: func(o []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) { return o, nil }}); err == nil {
		t.Error("an unknown strategy is taken")
	}
}
