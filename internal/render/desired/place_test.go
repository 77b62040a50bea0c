package desired

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"hearth/internal/repo"
)

// open builds the only cluster of a repository that is written as an archive.
func open(t *testing.T, archive string) *State {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := repo.Open(t.Context(), dir, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return build(t, r, r.Clusters[0])
}

const patched = `
-- .hearth.yaml --
clusters:
  main: {path: kubernetes/main, entry: {path: kubernetes/main/flux}}
-- kubernetes/main/flux/apps.yaml --
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: cluster-apps
  namespace: flux-system
spec:
  path: ./kubernetes/main/apps
  sourceRef: {kind: GitRepository, name: flux-system}
  interval: 1h
  prune: true
  patches:
    - target:
        group: kustomize.toolkit.fluxcd.io
        kind: Kustomization
      patch: |-
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata:
          name: any
        spec:
          timeout: 7m
          patches:
            - target:
                kind: HelmRelease
              patch: |-
                apiVersion: helm.toolkit.fluxcd.io/v2
                kind: HelmRelease
                metadata:
                  name: any
                spec:
                  install:
                    remediation:
                      retries: 5
            - target:
                kind: ConfigMap
                name: web-.*
              patch: |-
                - op: replace
                  path: /data/color
                  value: blue
-- kubernetes/main/apps/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: web
resources:
  - web.yaml
-- kubernetes/main/apps/web.yaml --
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: web
spec:
  path: ./kubernetes/main/web
  targetNamespace: web
  sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}
  interval: 1h
  prune: true
  postBuild:
    substitute:
      APP: web
-- kubernetes/main/web/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - release.yaml
  - source.yaml
  - config.yaml
components:
  - ../components/labels
configMapGenerator:
  - name: web-values
    files:
      - values.yaml=./values.yaml
generatorOptions: {disableNameSuffixHash: true}
patches:
  - path: patch.yaml
    target: {kind: HelmRelease}
-- kubernetes/main/web/values.yaml --
controllers:
  web:
    containers:
      app:
        image:
          repository: ghcr.io/example/web
-- kubernetes/main/web/patch.yaml --
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
spec:
  maxHistory: 9
-- kubernetes/main/components/labels/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
  - target: {kind: ConfigMap}
    patch: |
      - op: add
        path: /metadata/labels
        value:
          part-of: web
-- kubernetes/main/web/source.yaml --
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: app-template
spec:
  url: oci://ghcr.example/charts/app-template
  interval: 1h
  ref: {tag: 5.0.0}
-- kubernetes/main/web/config.yaml --
apiVersion: v1
kind: ConfigMap
metadata:
  name: web-colors
data:
  color: red
  shape: ${SHAPE:=round}
  size: ${SIZE}
-- kubernetes/main/web/release.yaml --
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: ${APP}
spec:
  interval: 1h
  chartRef: {kind: OCIRepository, name: app-template}
  valuesFrom:
    - {kind: ConfigMap, name: web-values}
  values:
    controllers:
      web:
        containers:
          app:
            image:
              tag: 1.2.3
            envFrom:
              - secretRef:
                  name: "{{ .Release.Name }}-secret"
`

func TestPlaces(t *testing.T) {
	s := open(t, patched)
	for _, k := range s.Kustomizations {
		if k.Err != nil {
			t.Fatalf("%s: %v", k.Object.Ref, k.Err)
		}
	}
	release := s.Release("web", "web")
	if release == nil || release.Err != nil || release.Chart == nil {
		t.Fatalf("release %+v", release)
	}
	colors := s.Find("", "ConfigMap", "web", "web-colors")
	deployment := s.Find("apps", "Deployment", "web", "web")
	if colors == nil || deployment == nil {
		t.Fatalf("objects missing: %v %v", colors, deployment)
	}
	const web, apps = "kubernetes/main/web/", "kubernetes/main/flux/apps.yaml"
	for _, test := range []struct {
		what string
		got  string
		want string
	}{
		{"the release", release.Object.Place().String(), web + "release.yaml:2"},
		{"its own field", release.Object.Place("spec", "interval").String(), web + "release.yaml:7"},
		{"a file's patch", release.Object.Place("spec", "maxHistory").String(), web + "patch.yaml:6"},
		{"a patch in a patch", release.Object.Place("spec", "install", "remediation", "retries").String(), apps + ":33"},
		{"a field of the Kustomization that a patch sets", s.Of("web", "web").Object.Place("spec", "timeout").String(), apps + ":21"},
		{"a JSON operation", colors.Place("data", "color").String(), apps + ":40"},
		{"a field that it does not set", colors.Place("data", "shape").String(), web + "config.yaml:7"},
		{"a component's operation", colors.Place("metadata", "labels", "part-of").String(), "kubernetes/main/components/labels/kustomization.yaml:9"},
		{"a value", release.ValuePlace("controllers", "web", "containers", "app", "image", "tag").String(), web + "release.yaml:17"},
		{"a value of a generated ConfigMap", release.ValuePlace("controllers", "web", "containers", "app", "image", "repository").String(), web + "values.yaml:6"},
		{"what a chart made of a value", deployment.Place("spec", "template", "spec", "containers", "0", "envFrom", "0", "secretRef", "name").String(), web + "release.yaml:20"},
		{"what a chart made by itself", deployment.Place("spec", "strategy").String(), web + "release.yaml:2"},
	} {
		if test.got != test.want {
			t.Errorf("%s stands at %s, want %s", test.what, test.got, test.want)
		}
	}
	if got := colors.Object["data"].(map[string]any)["color"]; got != "blue" {
		t.Errorf("the color is %v", got)
	}
	undefined := s.Of("web", "web").Undefined
	if len(undefined) != 1 || undefined[0].Name != "SIZE" || undefined[0].Place.String() != web+"config.yaml:8" {
		t.Errorf("undefined: %+v", undefined)
	}
	if !s.Unknown(colors.Object["data"].(map[string]any)["size"].(string)) || s.Unknown("round") {
		t.Error("a placeholder is not known as one, or a text is taken for one")
	}
	for file, want := range map[string]bool{
		web + "values.yaml": true, web + "patch.yaml": true, apps: true,
		"kubernetes/main/components/labels/kustomization.yaml": true, "kubernetes/main/web/other.yaml": false,
	} {
		if s.Reached(file) != want {
			t.Errorf("%s is reached: %v", file, !want)
		}
	}
}
