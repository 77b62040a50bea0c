//go:build ignore

// Generate writes schemas.gz: the schemas of Kubernetes' own kinds from the
// OpenAPI documents of the k8s.io/kubernetes module, and those of the custom
// kinds whose definitions Hearth brings along. It runs by go generate, in this
// folder and together with the files that the directive in archive.go names;
// with -print it writes the text to standard output instead.
//
// The text has a line a record, tab-separated: "kind", group/version, kind and
// the name of its definition; "definition", name and schema; "custom", group,
// kind, version and schema.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	module = "k8s.io/kubernetes"
	// documents are the OpenAPI documents, one a group version.
	documents = "api/openapi-spec/v3/*_openapi.json"
	// addons are custom resource definitions that Kubernetes itself ships.
	addons = "cluster/addons/volumesnapshots/crd/*.yaml"
	// supplied are those that Hearth brings along.
	supplied = "../kube/crds/manifests/*.json"

	refPrefix  = "#/components/schemas/"
	objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
)

func main() {
	log.SetFlags(0)
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	check(err)
	root := strings.TrimSpace(string(dir))

	definitions := readDefinitions(filepath.Join(root, documents))
	addEnums(definitions, filepath.Join(root, openapiSource))
	lines := append(builtIn(definitions), custom(supplied, filepath.Join(root, addons))...)
	text := strings.Join(lines, "\n") + "\n"
	if slices.Contains(os.Args[1:], "-print") {
		_, err := io.WriteString(os.Stdout, text)
		check(err)
		return
	}
	pack("schemas.gz", text)
}

// readDefinitions returns all definitions of the documents by name.
func readDefinitions(pattern string) map[string]object {
	definitions := map[string]object{}
	for _, file := range glob(pattern) {
		raw, err := os.ReadFile(file)
		check(err)
		var document struct {
			Components struct{ Schemas map[string]object }
		}
		check(json.Unmarshal(raw, &document))
		for name, schema := range document.Components.Schemas {
			definitions[name] = schema
		}
	}
	return definitions
}

// builtIn returns the records of Kubernetes' own kinds, and of the definitions
// that those need.
func builtIn(definitions map[string]object) []string {
	var lines []string
	needed := map[string]bool{objectMeta: true}
	queue := []string{objectMeta}
	need := func(name string) {
		if !needed[name] {
			needed[name] = true
			queue = append(queue, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		definition := definitions[name]
		properties, _ := definition["properties"].(object)
		metadata, _ := properties["metadata"].(object)
		if reference(metadata) != objectMeta {
			continue
		}
		kinds, _ := definition["x-kubernetes-group-version-kind"].([]any)
		for _, k := range kinds {
			gvk := k.(object)
			version := strings.TrimPrefix(fmt.Sprint(gvk["group"])+"/"+fmt.Sprint(gvk["version"]), "/")
			lines = append(lines, fmt.Sprintf("kind\t%s\t%s\t%s", version, gvk["kind"], name))
			need(name)
		}
		if _, ok := properties["status"]; ok {
			properties["status"] = object{} // the server's to judge
		}
	}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		schema, ok := marked[name]
		if !ok {
			schema = compact(definitions[name], need)
		}
		relax(schema, lenient[name])
		lines = append(lines, fmt.Sprintf("definition\t%s\t%s", name, encode(schema)))
	}
	slices.Sort(lines)
	return lines
}

// relax makes fields optional.
func relax(schema object, fields []string) {
	required, _ := schema["required"].([]any)
	left := slices.DeleteFunc(slices.Clone(required), func(name any) bool { return slices.Contains(fields, name.(string)) })
	switch {
	case len(required)-len(left) != len(fields):
		check(fmt.Errorf("of the fields %q some are not demanded any more", fields))
	case len(left) == 0:
		delete(schema, "required")
	default:
		schema["required"] = left
	}
}

// reference returns the definition that a schema refers to, or "".
func reference(schema object) string {
	if all, ok := schema["allOf"].([]any); ok && len(all) == 1 {
		schema = all[0].(object)
	}
	ref, _ := schema["$ref"].(string)
	return strings.TrimPrefix(ref, refPrefix)
}

// marked are definitions whose schema says less than Kubernetes knows of them.
var marked = map[string]object{
	"io.k8s.apimachinery.pkg.api.resource.Quantity":   {"format": "quantity"},
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"x-kubernetes-int-or-string": true},
	"io.k8s.apimachinery.pkg.runtime.RawExtension":    {},
	"io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1":   {},
}

// lenient are fields that a schema demands and the API server does not: it is
// content with nothing, zero or an empty text.
var lenient = map[string][]string{
	"io.k8s.api.storage.v1.CSIDriver":                {"spec"},
	"io.k8s.api.core.v1.LimitRangeSpec":              {"limits"},
	"io.k8s.api.core.v1.PreferredSchedulingTerm":     {"preference"},
	"io.k8s.api.core.v1.SleepAction":                 {"seconds"},
	"io.k8s.api.core.v1.HTTPHeader":                  {"value"},
	"io.k8s.api.core.v1.Sysctl":                      {"value"},
	"io.k8s.api.core.v1.ISCSIVolumeSource":           {"lun"},
	"io.k8s.api.core.v1.ISCSIPersistentVolumeSource": {"lun"},
	"io.k8s.api.batch.v1.PodFailurePolicy":           {"rules"},
}

// kept are the parts of a schema that say what is valid.
var kept = []string{"type", "format", "required", "enum", "x-kubernetes-list-type", "x-kubernetes-list-map-keys"}

// compact returns what a definition says of what is valid, and tells which
// others it needs.
func compact(schema object, need func(string)) object {
	if ref := reference(schema); ref != "" {
		need(ref)
		return object{"$ref": ref}
	}
	out := object{}
	for _, key := range kept {
		if value, ok := schema[key]; ok {
			out[key] = value
		}
	}
	if text, ok := schema["default"].(string); ok && text != "" {
		out["default"] = text
	}
	if properties, ok := schema["properties"].(object); ok {
		all := object{}
		for name, property := range properties {
			all[name] = compact(property.(object), need)
		}
		out["properties"] = all
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if child, ok := schema[key].(object); ok {
			out[key] = compact(child, need)
		}
	}
	return out
}

// custom returns the records of the definitions that the files hold.
func custom(patterns ...string) []string {
	var lines []string
	for _, pattern := range patterns {
		for _, v := range customVersions(glob(pattern)) {
			lines = append(lines, fmt.Sprintf("custom\t%s\t%s\t%s\t%s", v.group, v.kind, v.version, encode(v.schema)))
		}
	}
	slices.Sort(lines)
	return lines
}
