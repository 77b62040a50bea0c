//go:build ignore

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

type object = map[string]any

// customVersion is a version of a custom kind that its definition serves.
type customVersion struct {
	group, kind, version string
	schema               object
}

const definitionKind = "CustomResourceDefinition"

var (
	// separator stands between the documents of a file.
	separator = regexp.MustCompile(`(?m)^---\s*$`)
	// include is how the definitions of a chart take in its labels.
	include = regexp.MustCompile(`\{\{-? include [^}]*\}\}`)
)

// customVersions reads the definitions that files hold. Other documents it
// passes over.
func customVersions(files []string) []customVersion {
	var found []customVersion
	for _, file := range files {
		raw, err := os.ReadFile(file)
		check(err)
		for _, document := range separator.Split(string(raw), -1) {
			if strings.Contains(document, definitionKind) {
				found = append(found, servedBy(file, include.ReplaceAllString(document, ""))...)
			}
		}
	}
	return found
}

// servedBy returns what a definition serves.
func servedBy(file, document string) []customVersion {
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
	if crd.Kind != definitionKind {
		return nil
	}
	var found []customVersion
	for _, v := range crd.Spec.Versions {
		if v.Served {
			found = append(found, customVersion{crd.Spec.Group, crd.Spec.Names.Kind, v.Name, trimRoot(v.Schema.OpenAPIV3Schema)})
		}
	}
	return found
}

// trimRoot trims the schema of whole objects, whose status is the server's to
// judge.
func trimRoot(schema object) object {
	if properties, ok := schema["properties"].(object); ok && properties["status"] != nil {
		properties["status"] = object{}
	}
	return trim(schema).(object)
}

// said are the keys by which a schema says what is valid, beside those that
// hold other schemas. Descriptions and CEL rules are none of them.
var said = []string{
	"type", "format", "nullable", "default", "enum", "pattern", "minLength", "maxLength",
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
	"required", "minProperties", "maxProperties", "minItems", "maxItems", "uniqueItems",
	"x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-preserve-unknown-fields",
	"x-kubernetes-embedded-resource", "x-kubernetes-int-or-string",
}

// trim leaves of a schema what says what is valid.
func trim(schema any) any {
	s, ok := schema.(object)
	if !ok {
		return schema // true, as additionalProperties may be
	}
	out := inside(s, trim)
	for _, key := range said {
		if value, ok := s[key]; ok {
			out[key] = value
		}
	}
	return out
}

// inside returns the schemas that a schema holds, each as f changes it, under
// the keys that it holds them by.
func inside(schema object, f func(any) any) object {
	out := object{}
	if properties, ok := schema["properties"].(object); ok {
		all := object{}
		for _, name := range sortedKeys(properties) {
			all[name] = f(properties[name])
		}
		out["properties"] = all
	}
	for _, key := range []string{"items", "additionalProperties", "not"} {
		if child, ok := schema[key]; ok {
			out[key] = f(child)
		}
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		if parts, ok := schema[key].([]any); ok {
			all := make([]any, len(parts))
			for i, part := range parts {
				all[i] = f(part)
			}
			out[key] = all
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func encode(schema any) string {
	out, err := json.Marshal(schema)
	check(err)
	return string(out)
}

// pack writes a text, compressed.
func pack(file, text string) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	check(err)
	_, err = io.WriteString(w, text)
	check(err)
	check(w.Close())
	check(os.WriteFile(file, packed.Bytes(), 0o644))
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
