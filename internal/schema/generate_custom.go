//go:build ignore

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"

	"sigs.k8s.io/yaml"
)

// customVersion is a version of a custom kind that its definition serves.
type customVersion struct {
	group, kind, version string
	schema               object
}

// documentEnd separates the documents of a file.
var documentEnd = regexp.MustCompile(`(?m)^---\s*$`)

// customVersions reads the definitions that files hold. Other documents it
// passes over.
func customVersions(files []string) []customVersion {
	var found []customVersion
	for _, file := range files {
		raw, err := os.ReadFile(file)
		check(err)
		for _, document := range documentEnd.Split(string(raw), -1) {
			if !bytes.Contains([]byte(document), []byte("CustomResourceDefinition")) {
				continue
			}
			var crd struct {
				Kind string
				Spec struct {
					Group    string
					Names    struct{ Kind string }
					Versions []struct {
						Name   string
						Served bool
						Schema struct{ OpenAPIV3Schema object }
					}
				}
			}
			if err := yaml.Unmarshal([]byte(document), &crd); err != nil {
				check(fmt.Errorf("reading %s: %w", file, err))
			}
			if crd.Kind != "CustomResourceDefinition" {
				continue
			}
			for _, v := range crd.Spec.Versions {
				if v.Served {
					found = append(found, customVersion{crd.Spec.Group, crd.Spec.Names.Kind, v.Name, trimObject(v.Schema.OpenAPIV3Schema)})
				}
			}
		}
	}
	return found
}

// trimObject trims the schema of whole objects, whose status is the server's
// to judge.
func trimObject(schema object) object {
	if properties, ok := schema["properties"].(object); ok && properties["status"] != nil {
		properties["status"] = object{}
	}
	return trim(schema)
}

// said are the keys of a schema that say what is valid, beside those that hold
// other schemas. Descriptions and CEL rules are none of them.
var said = []string{
	"type", "format", "nullable", "default", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "multipleOf",
	"exclusiveMinimum", "exclusiveMaximum", "required", "minProperties", "maxProperties", "minItems", "maxItems", "uniqueItems",
	"x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-preserve-unknown-fields",
	"x-kubernetes-embedded-resource", "x-kubernetes-int-or-string",
}

// trim returns what a schema says of what is valid.
func trim(schema object) object {
	out := object{}
	for _, key := range said {
		if value, ok := schema[key]; ok {
			out[key] = value
		}
	}
	if properties, ok := schema["properties"].(object); ok {
		all := object{}
		for name, property := range properties {
			all[name] = trimAny(property)
		}
		out["properties"] = all
	}
	for _, key := range []string{"items", "additionalProperties", "not"} {
		if child, ok := schema[key]; ok {
			out[key] = trimAny(child)
		}
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		if parts, ok := schema[key].([]any); ok {
			all := make([]any, len(parts))
			for i, part := range parts {
				all[i] = trimAny(part)
			}
			out[key] = all
		}
	}
	return out
}

// trimAny trims a schema, and leaves what stands instead of one.
func trimAny(schema any) any {
	if s, ok := schema.(object); ok {
		return trim(s)
	}
	return schema
}

func encode(schema any) []byte {
	out, err := json.Marshal(schema)
	check(err)
	return out
}

func glob(pattern string) []string {
	files, err := filepath.Glob(pattern)
	check(err)
	if len(files) == 0 {
		check(fmt.Errorf("no file matches %s", pattern))
	}
	return files
}

func check(err error) {
	if err != nil {
		log.Fatal("generating the schemas: ", err)
	}
}
