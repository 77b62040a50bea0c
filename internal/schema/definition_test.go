package schema

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// definition makes one of the kind Widget from the schema of its version v1.
func definition(t testing.TB, schema string) *Definition {
	t.Helper()
	d, err := CustomResourceDefinition(object(t, "{metadata: {name: widgets.example.test}, spec: {group: example.test, names: {kind: Widget}, versions: [{name: v1, served: true, schema: {openAPIV3Schema: "+schema+"}}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestFeatures holds one field of a custom kind against each thing that a
// definition can demand.
func TestFeatures(t *testing.T) {
	for name, test := range map[string]struct {
		field string   // the schema of spec.f
		right []string // values, as spec.f
		wrong map[string]string
	}{
		"string":        {`{type: string}`, []string{`a`, `""`}, map[string]string{`null`: "`spec.f` is null; a text is wanted", `1`: "`spec.f` is a whole number; a text is wanted", `{}`: "`spec.f` is a mapping; a text is wanted"}},
		"length":        {`{type: string, minLength: 2, maxLength: 3}`, []string{`ab`, `äöü`}, map[string]string{`a`: "`spec.f` has 1 character; at least 2 must be given", `abcd`: "`spec.f` has 4 characters; at most 3 may be given", `""`: "`spec.f` must not be empty"}},
		"pattern":       {`{type: string, pattern: "^[a-z]+$"}`, []string{`abc`}, map[string]string{`A`: "`spec.f` does not have the form that is wanted: ^[a-z]+$"}},
		"bad pattern":   {`{type: string, pattern: "("}`, []string{`abc`}, nil},
		"long pattern":  {`{type: string, pattern: "^a{` + strings.Repeat("0", 120) + `1}$"}`, nil, map[string]string{`A`: "`spec.f` does not have the form that is wanted"}},
		"enum":          {`{type: string, enum: [a]}`, []string{`a`}, map[string]string{`b`: "`spec.f` is `b`, which is not `a`, the one allowed value"}},
		"enum number":   {`{type: integer, enum: [1, 2]}`, []string{`1`, `2.0`}, map[string]string{`3`: "`spec.f` is none of `1` and `2`"}},
		"empty enum":    {`{type: string, enum: [a, b]}`, nil, map[string]string{`""`: "`spec.f` is ``, which is none of `a` and `b`"}},
		"nullable":      {`{type: string, nullable: true}`, []string{`null`, `a`}, nil},
		"range":         {`{type: integer, minimum: 1, maximum: 3}`, []string{`1`, `3`}, map[string]string{`0`: "`spec.f` is too small: at least 1 is wanted", `4`: "`spec.f` is too large: at most 3 is wanted"}},
		"open range":    {`{type: number, minimum: 1, maximum: 3, exclusiveMinimum: true, exclusiveMaximum: true}`, []string{`1.5`}, map[string]string{`1`: "`spec.f` is too small: more than 1 is wanted", `3`: "`spec.f` is too large: less than 3 is wanted"}},
		"multiple":      {`{type: integer, multipleOf: 4}`, []string{`8`, `0`}, map[string]string{`6`: "`spec.f` is no multiple of 4"}},
		"boolean":       {`{type: boolean}`, []string{`true`}, map[string]string{`"true"`: "`spec.f` is a text; true or false is wanted"}},
		"int or string": {`{x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}], pattern: "^[0-9]+%$"}`, []string{`1`, `5%`}, map[string]string{`true`: "`spec.f` is a boolean; a whole number or a text is wanted", `x`: "`spec.f` does not have the form that is wanted: ^[0-9]+%$"}},
		"items":         {`{type: array, minItems: 1, maxItems: 2, items: {type: integer}}`, []string{`[1]`}, map[string]string{`[]`: "`spec.f` has 0 items; at least 1 must be given", `[1, 2, 3]`: "`spec.f` has 3 items; at most 2 may be given", `[a]`: "`spec.f[0]` is a text; a whole number is wanted", `[null]`: "`spec.f[0]` is null; a whole number is wanted"}},
		"set":           {`{type: array, x-kubernetes-list-type: set, items: {type: string}}`, []string{`[a, b]`}, map[string]string{`[a, b, a]`: "`spec.f` has the same item twice, as item 0 and as item 2", `[null]`: "item 0 of `spec.f` is null"}},
		"unique":        {`{type: array, uniqueItems: true, items: {type: object, x-kubernetes-preserve-unknown-fields: true}}`, []string{`[{a: 1}, {a: 2}]`}, map[string]string{`[{a: 1, b: 2}, {b: 2, a: 1}]`: "`spec.f` has the same item twice, as item 0 and as item 1"}},
		"map list":      {`{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name, zone], items: {type: object, properties: {name: {type: string}, zone: {type: string, default: a}}}}`, []string{`[{name: x}, {name: x, zone: b}]`}, map[string]string{`[{name: x}, {name: x, zone: a}]`: "`spec.f` has two items with the same `name` and `zone`"}},
		"closed":        {`{type: object, properties: {ab: {type: string}}}`, []string{`{ab: a}`, `{}`}, map[string]string{`{abc: a}`: "unknown field `abc` in `spec.f`: did you mean `ab`"}},
		"free":          {`{type: object}`, []string{`{any: [thing]}`}, map[string]string{`a`: "`spec.f` is a text; a mapping is wanted"}},
		"preserved":     {`{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: object, properties: {b: {type: integer}}}}}`, []string{`{x: 1, a: {y: 1}}`}, map[string]string{`{a: {b: c}}`: "`spec.f.a.b` is a text; a whole number is wanted"}},
		"any type":      {`{x-kubernetes-preserve-unknown-fields: true}`, []string{`1`, `[a]`, `{a: b}`}, nil},
		"additional":    {`{type: object, additionalProperties: {type: integer}}`, []string{`{a: 1}`}, map[string]string{`{a: null}`: "`spec.f.a` is null; a whole number is wanted", `{a: b}`: "`spec.f.a` is a text; a whole number is wanted"}},
		"any":           {`{type: object, additionalProperties: true, properties: {a: {type: integer}}}`, []string{`{b: c}`}, map[string]string{`{a: b}`: "`spec.f.a` is a text; a whole number is wanted"}},
		"no others":     {`{type: object, additionalProperties: false, properties: {a: {type: integer}}}`, nil, map[string]string{`{b: c}`: "unknown field `b` in `spec.f`"}},
		"required":      {`{type: object, required: [a, b], properties: {a: {type: string}, b: {type: string, default: x}}}`, []string{`{a: x}`, `{a: x, b: null}`}, map[string]string{`{}`: "`spec.f.a` is missing", `{a: null}`: "`spec.f.a` is null; a text is wanted"}},
		"required null": {`{type: object, required: [a], properties: {a: {type: string, nullable: true}}}`, []string{`{a: null}`}, map[string]string{`{}`: "`spec.f.a` is missing"}},
		"count":         {`{type: object, minProperties: 1, maxProperties: 1, properties: {a: {type: string}, b: {type: string}}}`, []string{`{a: x}`}, map[string]string{`{}`: "`spec.f` has 0 fields; at least 1 must be given", `{a: x, b: x}`: "`spec.f` has 2 fields; at most 1 may be given"}},
		"one of":        {`{type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}`, []string{`{a: x}`}, map[string]string{`{}`: "`spec.f` needs one of `a` and `b`", `{a: x, b: x}`: "`spec.f` takes only one of `a` and `b`"}},
		"one of forms":  {`{type: string, oneOf: [{pattern: "^a"}, {pattern: "b$"}]}`, []string{`ax`, `xb`}, map[string]string{`x`: "`spec.f` fits none of the forms that its schema admits", `ab`: "`spec.f` fits more than one of the forms that exclude each other"}},
		"any of":        {`{type: object, properties: {a: {type: string}, b: {type: string}}, anyOf: [{required: [a]}, {required: [b]}]}`, []string{`{a: x}`, `{a: x, b: x}`}, map[string]string{`{}`: "`spec.f` needs one of `a` and `b`"}},
		"any of one":    {`{type: string, anyOf: [{minLength: 2}]}`, []string{`ab`}, map[string]string{`a`: "`spec.f` has 1 character; at least 2 must be given"}},
		"all of":        {`{type: string, allOf: [{minLength: 2}, {maxLength: 3}]}`, []string{`ab`}, map[string]string{`a`: "`spec.f` has 1 character; at least 2 must be given"}},
		"not":           {`{type: object, properties: {a: {type: string}, b: {type: string}}, not: {required: [a, b]}}`, []string{`{a: x}`}, map[string]string{`{a: x, b: x}`: "`spec.f` must not have `a` and `b` together"}},
		"not one":       {`{type: object, properties: {a: {type: string}}, not: {required: [a]}}`, []string{`{}`}, map[string]string{`{a: x}`: "`spec.f` must not have `a`"}},
		"not any":       {`{type: object, properties: {a: {type: string}, b: {type: string}}, not: {anyOf: [{required: [a]}, {required: [b]}]}}`, []string{`{}`}, map[string]string{`{a: x}`: "`spec.f` must not have any of `a` and `b`"}},
		"not form":      {`{type: string, not: {pattern: "^a"}}`, []string{`b`}, map[string]string{`a`: "`spec.f` has a form that its schema excludes"}},
		"default first": {`{type: object, properties: {mode: {type: string, default: auto}, a: {type: string}}, oneOf: [{properties: {mode: {enum: [auto]}}}, {required: [a]}]}`, []string{`{}`}, map[string]string{`{a: x}`: "`spec.f` fits more than one of the forms that exclude each other"}},
		"part is open":  {`{type: object, properties: {a: {type: string}, b: {type: string}}, anyOf: [{properties: {a: {minLength: 1}}}]}`, []string{`{a: x, b: z}`}, nil},
		"formats":       {`{type: string, format: ipv4}`, []string{`10.0.0.1`}, map[string]string{`10.0.0.x`: "`spec.f` is no IPv4 address"}},
		"date-time":     {`{type: string, format: date-time}`, []string{`"2026-01-02T03:04:05Z"`}, map[string]string{`now`: "`spec.f` is no time, such as 2006-01-02T15:04:05Z"}},
		"own format":    {`{type: string, format: quantity}`, []string{`whatever`}, nil},
		"int32":         {`{type: integer, format: int32}`, []string{`2147483647`}, map[string]string{`2147483648`: "`spec.f` does not fit in 32 bits"}},
		"embedded":      {`{type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}`, []string{`{apiVersion: v1, kind: A, metadata: {name: a}, spec: 1}`}, map[string]string{`{kind: A}`: "`spec.f.apiVersion` is missing", `{apiVersion: v1, kind: ""}`: "`spec.f.kind` must not be empty", `{apiVersion: v1, kind: A, metadata: {name: 1}}`: "`spec.f.metadata.name` is a whole number; a text is wanted", `{apiVersion: 1, kind: A}`: "`spec.f.apiVersion` is a whole number; a text is wanted"}},
		"broken":        {`{type: [string]}`, []string{`1`}, nil},
		"reference":     {`{$ref: "#/definitions/x"}`, []string{`1`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			set := Embedded().With(definition(t, "{type: object, properties: {spec: {type: object, properties: {f: "+test.field+"}}}}"))
			validate := func(value string) []string {
				problems, known := set.Validate(object(t, "{apiVersion: example.test/v1, kind: Widget, metadata: {name: a}, spec: {f: "+value+"}}"), Options{})
				if !known {
					t.Error("the kind is not known")
				}
				return told(problems)
			}
			for _, value := range test.right {
				if got := validate(value); len(got) > 0 {
					t.Errorf("%s: %q", value, got)
				}
			}
			for value, want := range test.wrong {
				if diff := cmp.Diff([]string{want}, validate(value)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", value, diff)
				}
			}
		})
	}
}

func TestRootOfCustomKinds(t *testing.T) {
	set := Embedded().With(definition(t, `{type: object, required: [spec, status, metadata], anyOf: [{required: [spec]}], properties: {
		apiVersion: {type: string}, metadata: {type: object, properties: {name: {type: string, maxLength: 3}}}, spec: {type: object}, status: {type: object}}}`))
	for text, want := range map[string][]string{
		"metadata: {name: abc}, spec: {}":                  nil,
		"metadata: {name: abcd}, spec: {}":                 {"`metadata.name` has 4 characters; at most 3 may be given"},
		"metadata: {nmae: abc}, spec: {}":                  {"unknown field `nmae` in `metadata`: did you mean `name`"},
		"metadata: {name: abc}":                            {"`spec` is missing", "`spec` is missing"},
		"metadata: {name: abc}, spec: {}, sepc: {}":        {"unknown field `sepc`: did you mean `spec`"},
		"metadata: null, spec: {}, status: {anything: 1}":  nil,
		"metadata: {name: abc, labels: {a: 1}}, spec: {}":  {"`metadata.labels.a` is a whole number; a text is wanted"},
		"metadata: {name: abc, annotations: []}, spec: {}": {"`metadata.annotations` is a list; a mapping is wanted"},
	} {
		problems, _ := set.Validate(object(t, "{apiVersion: example.test/v1, kind: Widget, "+text+"}"), Options{})
		if diff := cmp.Diff(want, told(problems)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// TestWith covers which definition counts.
func TestWith(t *testing.T) {
	strict := definition(t, "{type: object, properties: {spec: {type: object, properties: {a: {type: string}}}}}")
	other := definition(t, "{type: object, properties: {spec: {type: object, properties: {b: {type: string}}}}}")
	silent, err := CustomResourceDefinition(object(t, "{spec: {group: example.test, names: {kind: Widget}, versions: [{name: v1, served: true}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	flux, err := CustomResourceDefinition(object(t, "{spec: {group: source.toolkit.fluxcd.io, names: {kind: Bucket}, versions: [{name: v9, served: true, schema: {openAPIV3Schema: {type: object}}}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	widget := "{apiVersion: example.test/v1, kind: Widget, metadata: {name: a}, spec: {b: c}}"
	bucket := "{apiVersion: source.toolkit.fluxcd.io/v9, kind: Bucket, metadata: {name: a}}"
	for name, test := range map[string]struct {
		set    *Set
		object string
		wrong  bool
	}{
		"one":                   {Embedded().With(strict), widget, true},
		"any of two":            {Embedded().With(strict, other), widget, false},
		"any of two, in turn":   {Embedded().With(strict).With(other), widget, false},
		"says nothing":          {Embedded().With(silent), widget, false},
		"nil is no definition":  {Embedded().With(nil, strict), widget, true},
		"before the embedded":   {Embedded().With(flux), bucket, false},
		"the embedded is there": {Embedded(), bucket, true},
	} {
		problems, known := test.set.Validate(object(t, test.object), Options{})
		if !known || (len(problems) > 0) != test.wrong {
			t.Errorf("%s: %v, known: %t", name, told(problems), known)
		}
	}
	before := Embedded().With(strict)
	before.With(other)
	if problems, _ := before.Validate(object(t, widget), Options{}); len(problems) == 0 {
		t.Error("With changes the set that it is called on")
	}
}

func TestCustomResourceDefinitionErrors(t *testing.T) {
	for _, text := range []string{"{}", "{spec: {group: a.b}}", "{spec: {names: {kind: A}}}", "{spec: 1}"} {
		if _, err := CustomResourceDefinition(object(t, text)); err == nil {
			t.Errorf("%s is no definition", text)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	set := (&Set{archive: unpack()}).With(definition(t, `{type: object, properties: {spec: {type: object, properties: {a: {type: string, pattern: "^a"}}}}}`))
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for _, text := range []string{
				"{apiVersion: example.test/v1, kind: Widget, metadata: {name: a}, spec: {a: b}}",
				pod(fmt.Sprintf("ports: [{containerPort: %d, protocol: X}]", i)),
			} {
				if problems, _ := set.Validate(object(t, text), Options{}); len(problems) != 1 {
					t.Errorf("%s: %v", text, told(problems))
				}
			}
		})
	}
	group.Wait()
}
