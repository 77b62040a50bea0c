package postrender

import (
	"bytes"
	"strings"
	"testing"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/render/helm"
)

const rendered = `apiVersion: v1
kind: Service
metadata:
  name: a
  labels: {app: a, team: nobody}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: b, annotations: {note: mine}}
spec: {template: {spec: {containers: [{name: main, image: example.com/b:1}]}}}
`

func releaseOf(patch string) *helmv2.HelmRelease {
	hr := &helmv2.HelmRelease{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "demo"}}
	hr.Spec.CommonMetadata = &helmv2.CommonMetadata{Labels: map[string]string{"team": "home"}, Annotations: map[string]string{"note": "theirs"}}
	hr.Spec.PostRenderers = []helmv2.PostRenderer{{Kustomize: &helmv2.Kustomize{
		Patches: []kustomize.Patch{{Patch: patch, Target: &kustomize.Selector{Kind: "Deployment"}}},
		Images:  []kustomize.Image{{Name: "example.com/b", NewTag: "2"}},
	}}}
	return hr
}

// TestTextAndObjectsComeToTheSame holds what the tree verbs show to what the
// engine applies.
func TestTextAndObjectsComeToTheSame(t *testing.T) {
	const fits, astray = "- op: add\n  path: /spec/replicas\n  value: 3\n", "- op: remove\n  path: /spec/nope/deep\n"
	for _, test := range []struct {
		name    string
		release *helmv2.HelmRelease
		standIn bool
		has     []string
	}{
		{"no post-renderer", &helmv2.HelmRelease{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "demo"}}, false,
			[]string{"team: nobody", "note: mine", "example.com/b:1", "helm.toolkit.fluxcd.io/name: demo"}},
		{"patch, image and metadata", releaseOf(fits), false, []string{"replicas: 3", "example.com/b:2", "team: home", "note: theirs"}},
		{"a patch that does not fit a stand-in", releaseOf(astray), true, []string{"example.com/b:1", "team: home"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := New(test.release, test.standIn)
			text, err := r.Run(bytes.NewBufferString(rendered))
			if err != nil {
				t.Fatal(err)
			}
			want, err := helm.Objects("text", text.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			got, err := helm.Objects("objects", []byte(rendered))
			if err == nil {
				got, err = r.Objects(got)
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("objects (-as text +as objects):\n%s", diff)
			}
			for _, part := range test.has {
				if !strings.Contains(text.String(), part) {
					t.Errorf("%q is missing:\n%s", part, text)
				}
			}
		})
	}
	objects, err := helm.Objects("objects", []byte(rendered))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(releaseOf(astray), false).Objects(objects); err == nil || !strings.Contains(err.Error(), "post-renderer") {
		t.Errorf("a patch that does not fit: %v", err)
	}
}
