//go:build ignore

// Generate writes the manifests folder: the CRDs of Flux and of Hearth's own
// API types by controller-gen, those of the Gateway API from its module. It
// runs by go generate, in this folder.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// typed are the packages whose Go types CRDs are generated from. What Flux
// installs is generated from exactly these, old versions included.
var typed = []string{
	"github.com/fluxcd/source-controller/api/...",
	"github.com/fluxcd/source-watcher/api/v2/...",
	"github.com/fluxcd/kustomize-controller/api/...",
	"github.com/fluxcd/helm-controller/api/...",
	"github.com/fluxcd/notification-controller/api/...",
	"hearth/internal/api/externalsecrets/...",
	"hearth/internal/api/fluxcd/...",
}

const (
	gatewayModule = "sigs.k8s.io/gateway-api"
	// The experimental channel holds everything of the standard one, and the
	// older versions and fields that homelabs still use.
	gatewayFolder = "config/crd/experimental"
)

// eventSources are kinds that Flux's own CRD does not admit as the source of
// an Alert, and the CRD that flux-operator installs does.
var eventSources = []any{"FluxInstance", "FluxReport", "ResourceSet", "ResourceSetInputProvider"}

func main() {
	log.SetFlags(0)
	draft, err := os.MkdirTemp("", "crds-")
	check(err)
	defer os.RemoveAll(draft)

	args := []string{"tool", "controller-gen", "crd:maxDescLen=0", "output:crd:dir=" + draft}
	for _, pkg := range typed {
		args = append(args, "paths="+pkg)
	}
	command := exec.Command("go", args...)
	command.Stderr = os.Stderr
	check(command.Run())

	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", gatewayModule).Output()
	check(err)
	check(os.RemoveAll("manifests"))
	check(os.Mkdir("manifests", 0o755))
	for _, folder := range []string{draft, filepath.Join(strings.TrimSpace(string(module)), gatewayFolder)} {
		files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
		check(err)
		for _, file := range files {
			convert(file)
		}
	}
}

// convert writes one CRD as JSON, without the descriptions: they make up two
// thirds of it, and cost time and memory in every control plane.
func convert(file string) {
	raw, err := os.ReadFile(file)
	check(err)
	var crd map[string]any
	check(yaml.Unmarshal(raw, &crd))
	if crd["kind"] != "CustomResourceDefinition" {
		return
	}
	metadata := crd["metadata"].(map[string]any)
	name := metadata["name"].(string)
	if strings.HasSuffix(name, ".toolkit.fluxcd.io") || strings.HasSuffix(name, ".source.extensions.fluxcd.io") {
		metadata["labels"] = map[string]any{"app.kubernetes.io/part-of": "flux"} // as installed by Flux; its CLI looks for it
	}
	versions := crd["spec"].(map[string]any)["versions"].([]any)
	alignSelectableFields(versions)
	for _, version := range versions {
		schema := version.(map[string]any)["schema"].(map[string]any)["openAPIV3Schema"]
		strip(schema)
		if name == "alerts.notification.toolkit.fluxcd.io" {
			widen(schema)
		}
	}
	out, err := json.MarshalIndent(crd, "", " ")
	check(err)
	check(os.WriteFile(filepath.Join("manifests", name+".json"), append(out, '\n'), 0o644))
}

// alignSelectableFields gives every version the selectable fields of the first
// that has some. The API server refuses versions of one schema that differ in
// nothing else.
func alignSelectableFields(versions []any) {
	for _, version := range versions {
		fields, ok := version.(map[string]any)["selectableFields"]
		if !ok {
			continue
		}
		for _, other := range versions {
			other.(map[string]any)["selectableFields"] = fields
		}
		return
	}
}

// strip removes the descriptions of a schema, but no property of that name.
func strip(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if _, text := s["description"].(string); text {
			delete(s, "description")
		}
		for _, child := range s {
			strip(child)
		}
	case []any:
		for _, child := range s {
			strip(child)
		}
	}
}

// widen admits more kinds as event sources of an Alert.
func widen(schema any) {
	kind := schema
	for _, step := range []string{"properties", "spec", "properties", "eventSources", "items", "properties", "kind"} {
		kind = kind.(map[string]any)[step]
	}
	field := kind.(map[string]any)
	enum := field["enum"].([]any)
	if !slices.Contains(enum, any("Kustomization")) {
		check(fmt.Errorf("the event sources of an Alert are no longer where they were"))
	}
	field["enum"] = append(enum, eventSources...)
}

func check(err error) {
	if err != nil {
		log.Fatal("generating the CRD manifests: ", err)
	}
}
