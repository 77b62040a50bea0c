package repo

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"hearth/internal/manifest"
)

// TestConfigSchema holds the schema to the types; with -update it is written anew.
func TestConfigSchema(t *testing.T) {
	comments := fieldComments(t)
	schema := comments.of(t, reflect.TypeFor[Config](), "")
	schema["$schema"] = "http://json-schema.org/draft-07/schema#"
	schema["title"] = "Hearth's configuration of a homelab repository: " + ConfigFile
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("config.schema.json", text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(text.String(), string(ConfigSchema)); diff != "" {
		t.Errorf("config.schema.json is stale, run go generate ./internal/repo (-want +got):\n%s", diff)
	}
}

// comments are what the fields' comments say, by type and field.
type comments map[string]string

func fieldComments(t *testing.T) comments {
	t.Helper()
	files, err := filepath.Glob("config*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := comments{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if fields, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range fields.Fields.List {
					for _, id := range f.Names {
						found[spec.Name.Name+"."+id.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
					}
				}
			}
			return false
		})
	}
	return found
}

// of returns the schema of a type. The enum holds what its texts can be.
func (c comments) of(t *testing.T, typ reflect.Type, enum string) map[string]any {
	switch {
	case typ == reflect.TypeFor[RuleConfig]():
		long := c.object(t, typ)
		severity := long["properties"].(map[string]any)["severity"].(map[string]any)
		return map[string]any{"anyOf": []any{severity, long}}
	case typ.String() == "yaml.Node":
		return map[string]any{"type": "array", "items": map[string]any{"type": "object"}}
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return c.of(t, typ.Elem(), enum)
	case reflect.Struct:
		return c.object(t, typ)
	case reflect.Map:
		values := c.of(t, typ.Elem(), enum)
		if enum == "" && typ.Elem().Kind() == reflect.String {
			values = map[string]any{"type": []any{"string", "number", "boolean"}} // all are read as text
		}
		return map[string]any{"type": "object", "additionalProperties": values}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": c.of(t, typ.Elem(), enum)}
	case reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	case reflect.String:
		if enum != "" {
			return map[string]any{"type": "string", "enum": strings.Split(enum, ",")}
		}
		return map[string]any{"type": "string"}
	}
	t.Fatalf("no schema for %s", typ)
	return nil
}

func (c comments) object(t *testing.T, typ reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for i := range typ.NumField() {
		field := typ.Field(i)
		if !field.IsExported() {
			continue
		}
		name := field.Tag.Get("yaml")
		schema := c.of(t, field.Type, field.Tag.Get("enum"))
		about := c[typ.Name()+"."+field.Name]
		if name == "" || about == "" {
			t.Errorf("%s.%s needs a YAML name and a comment", typ.Name(), field.Name)
		}
		schema["description"] = about
		properties[name] = schema
		if field.Tag.Get("required") != "" {
			required = append(required, name)
		}
	}
	object := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		object["required"] = required
	}
	return object
}

func TestConfigAgainstSchema(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(ConfigSchema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("config.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(text string) error {
		docs, err := manifest.Parse(ConfigFile, []byte(text))
		if err != nil || len(docs) != 1 {
			t.Fatalf("%d documents, %v", len(docs), err)
		}
		data, err := json.Marshal(docs[0].Object())
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	example, err := os.ReadFile(filepath.Join("..", "..", "examples", "homelab", ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, good := range []string{judged, string(example), "seed: 1\nstandIns: [{kind: X}]\nnodes: [{name: a, capacity: {cpu: 4}}]\n"} {
		if err := validate(good); err != nil {
			t.Errorf("%v\n%s", err, good)
		}
		if _, err := ParseConfig([]byte(good)); err != nil {
			t.Errorf("%v\n%s", err, good)
		}
	}
	for _, bad := range []string{
		"sed: 1", "seed: -1", "seed: one", "clusters: [main]", "clusters: {main: {pth: a}}", "nodes: [{}]",
		"secretStore: {kind: Vault}", "gateways: {a: {}}", "gateways: {a: {exposure: all}}", "exposure: {media/a: all}",
		"storageClasses: {a: {for: [b]}}", "charts: {vendor: a}", "rules: {a: fatal}", "rules: {a: {level: error}}",
		"rules: {a: [off]}", "rules: {a: {exclude: b}}", "exclude: a", "templates: [talos]",
	} {
		if validate(bad) == nil {
			t.Errorf("the schema allows %s", bad)
		}
		if _, err := ParseConfig([]byte(bad)); err == nil {
			t.Errorf("the parser allows %s", bad)
		}
	}
}

// TestEnums holds the choices in the types' tags to those that are checked.
func TestEnums(t *testing.T) {
	for _, test := range []struct {
		typ   reflect.Type
		field string
		want  []string
	}{
		{reflect.TypeFor[SecretStore](), "Kind", storeKinds},
		{reflect.TypeFor[Gateway](), "Exposure", exposures},
		{reflect.TypeFor[Config](), "Exposure", exposures},
		{reflect.TypeFor[StorageClass](), "For", storageUses},
		{reflect.TypeFor[RuleConfig](), "Severity", severities},
	} {
		field, ok := test.typ.FieldByName(test.field)
		if got := strings.Split(field.Tag.Get("enum"), ","); !ok || !slices.Equal(got, test.want) {
			t.Errorf("%s.%s: %v, checked are %v", test.typ.Name(), test.field, got, test.want)
		}
	}
}
