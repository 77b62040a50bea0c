//go:build ignore

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// openapiSource is the source that the OpenAPI documents were made from. They
// leave the allowed values of fields out, and it has them.
const openapiSource = "pkg/generated/openapi/zz_generated.openapi.go"

// addEnums adds the allowed values of fields, which the OpenAPI source has.
func addEnums(definitions map[string]object, source string) {
	file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
	check(err)
	names := modelNames(file)
	found := 0
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || names[f.Name.Name] == "" {
			continue
		}
		definition := definitions[names[f.Name.Name]]
		properties, _ := definition["properties"].(object)
		for name, at := range enums(f) {
			if schema, ok := properties[name].(object); ok {
				at.add(schema)
				found++
			}
		}
	}
	if found < 50 {
		check(fmt.Errorf("%s holds the allowed values of %d fields only: its shape has changed", source, found))
	}
}

// modelNames maps the functions that make schemas to the names of those.
func modelNames(file *ast.File) map[string]string {
	packages := map[string]string{}
	for _, i := range file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		check(err)
		if i.Name != nil {
			packages[i.Name.Name] = path
		}
	}
	names := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, ok := pair.Key.(*ast.CallExpr) // v1.Container{}.OpenAPIModelName()
		value, called := pair.Value.(*ast.CallExpr)
		if !ok || !called {
			return true
		}
		method, ok := key.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		literal, ok := method.X.(*ast.CompositeLit)
		if !ok {
			return true
		}
		typ, ok := literal.Type.(*ast.SelectorExpr)
		function, named := value.Fun.(*ast.Ident)
		if ok && named {
			host, rest, _ := strings.Cut(packages[typ.X.(*ast.Ident).Name], "/")
			labels := strings.Split(host, ".")
			slices.Reverse(labels)
			names[function.Name] = strings.Join(append(labels, strings.Split(rest, "/")...), ".") + "." + typ.Sel.Name
		}
		return true
	})
	return names
}

// allowed are the values of a field, or of the items of one.
type allowed struct {
	values []any
	items  bool
}

func (a allowed) add(schema object) {
	if a.items {
		schema = schema["items"].(object)
	}
	schema["enum"] = a.values
}

// enums returns the fields of a schema that have a set of allowed values.
func enums(f *ast.FuncDecl) map[string]allowed {
	found := map[string]allowed{}
	ast.Inspect(f, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok || identifier(pair.Key) != "Properties" {
			return true
		}
		for _, element := range pair.Value.(*ast.CompositeLit).Elts {
			field := element.(*ast.KeyValueExpr)
			if a := enum(field.Value); len(a.values) > 0 {
				found[literal(field.Key).(string)] = a
			}
		}
		return false
	})
	return found
}

func enum(schema ast.Expr) allowed {
	var found allowed
	ast.Inspect(schema, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		switch identifier(pair.Key) {
		case "AdditionalProperties":
			return false
		case "Items":
			found.items = true
		case "Enum":
			for _, value := range pair.Value.(*ast.CompositeLit).Elts {
				found.values = append(found.values, literal(value))
			}
		}
		return true
	})
	return found
}

func identifier(e ast.Expr) string {
	if i, ok := e.(*ast.Ident); ok {
		return i.Name
	}
	return ""
}

func literal(e ast.Expr) any {
	text, err := strconv.Unquote(e.(*ast.BasicLit).Value)
	check(err)
	return text
}
