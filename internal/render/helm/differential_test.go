package helm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	chart "helm.sh/helm/v4/pkg/chart/v2"
)

// snippets are templates that charts consist of, and some that no chart should.
var snippets = []string{
	"plain text", "{{ .Values.text }}", "{{ .Values.none }}", "{{ .Values.none.none }}", "{{ .Values.nothing }}", "{{ .Values.nothing.x }}", "{{ (.Values.nothing).x }}", "{{ $x := .Values.nothing }}{{ $x.y }}", "{{ range .Values.mixed }}{{ .x }}{{ end }}",
	"{{ range .Values.list }}{{ . }},{{ end }}", "{{ range $i, $e := .Values.list }}{{ $i }}={{ $e }};{{ else }}none{{ end }}", "{{ range $k, $v := .Values.map }}{{ $k }}={{ $v }};{{ end }}", "{{ range .Values.none }}x{{ else }}none{{ end }}", "{{ range $e := .Values.mixed }}[{{ $e }}|{{ kindOf $e }}]{{ end }}",
	"{{ range 3 }}{{ . }}{{ end }}", "{{ range until 3 }}{{ . }}{{ end }}", "{{ range $i := until 5 }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ if eq $i 3 }}{{ break }}{{ end }}{{ $i }}{{ end }}", "{{ range tuple 1 \"a\" true }}{{ . }}{{ end }}", "{{ range $k, $v := dict \"b\" 1 \"a\" 2 }}{{ $k }}{{ $v }}{{ end }}", "{{ range splitList \",\" \"a,b\" }}{{ . }}{{ end }}", "{{ range $k, $v := (splitn \"/\" 2 \"a/b\") }}{{ $k }}{{ $v }}{{ end }}", "{{ range .Values.text }}x{{ end }}",
	"{{ if .Values.on }}on{{ else if .Values.list }}list{{ else }}off{{ end }}", "{{ if and .Values.on .Values.list }}a{{ end }}", "{{ and .Values.text .Values.none }}", "{{ or .Values.none .Values.text \"x\" }}", "{{ or .Values.none .Values.nothing }}", "{{ .Values.text | or .Values.none }}", "{{ \"x\" | and .Values.on }}", "{{ not .Values.none }}", "{{ and }}",
	"{{ with .Values.map }}{{ .a }}{{ $.Values.text }}{{ else }}no{{ end }}", "{{ with $x := .Values.text }}{{ $x }}{{ . }}{{ end }}", "{{ with .Values.none }}x{{ else with .Values.text }}{{ . }}{{ end }}",
	"{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ $y }}{{ end }}{{ $x }}", "{{ $x := 1 }}{{ range until 3 }}{{ $x = add $x . }}{{ end }}{{ $x }}", "{{ $a := 1 }}{{ $b := 2 }}{{ range $a, $b = .Values.list }}{{ end }}{{ $a }}{{ $b }}", "{{ $x := \"a\" }}{{ with 1 }}{{ $x := \"b\" }}{{ $x }}{{ end }}{{ $x }}",
	"{{ 1 }} {{ 1.5 }} {{ 1e3 }} {{ 0x10 }} {{ -3 }} {{ 'a' }} {{ 1.0 }} {{ true }} {{ \"q\" }} {{ `raw` }}", "{{ nil }}", "{{ print nil }}", "{{ .Values.number }} {{ .Values.float }} {{ .Values.big }} {{ .Values.small }} {{ .Values.whole }}", "{{ .Values.list }} {{ .Values.map }} {{ .Values.mixed }}", "{{ .Values }}", "{{ print 1 2 \"a\" \"b\" 3 }}", "{{ printf \"%d %s %v %q %5.2f %T\" 1 \"a\" .Values.list \"x\" 1.5 .Values.number }}", "{{ println \"a\" 1 }}", "{{ printf \"%s\" .Values.none }}", "{{ printf \"%d\" .Values.number }}", "{{ printf \"%v\" .Values.nothing }}",
	"{{ eq 1 1 }} {{ eq 1 2 3 1 }} {{ eq \"a\" \"b\" }} {{ ne 1 2 }} {{ lt 1 2 }} {{ le 2 2 }} {{ gt 1.5 1.0 }} {{ ge \"b\" \"a\" }}", "{{ eq .Values.number 5 }}", "{{ eq .Values.number 5.0 }}", "{{ eq (int .Values.number) 5 }}", "{{ eq .Values.none nil }}", "{{ eq .Values.none \"\" }}", "{{ eq .Values.map .Values.map }}", "{{ eq .Values.on true }}", "{{ eq .Values.nothing .Values.none }}", "{{ lt .Values.none 1 }}", "{{ eq .Values.map nil }}", "{{ eq (int64 5) 5 }}", "{{ eq .Values.float .Values.number }}", "{{ eq 1 1.0 }}", "{{ lt (int64 3) 4 }}", "{{ eq 'a' 97 }}", "{{ ne .Values.text nil }}",
	"{{ index .Values.list 0 }} {{ index .Values.map \"a\" }} {{ index .Values \"map\" \"b\" }} {{ index .Values.map \"none\" }}", "{{ index .Values.list 9 }}", "{{ index .Values.list (int .Values.one) }}", "{{ index .Values.list .Values.one }}", "{{ (index .Values.mixed 1).x }}", "{{ (index .Values.map \"none\").x }}", "{{ index .Values.none \"x\" }}", "{{ index .Values.text 0 }}", "{{ len .Values.list }} {{ len .Values.text }} {{ len .Values.map }}", "{{ len .Values.none }}", "{{ len .Values.number }}", "{{ slice .Values.list 1 2 }}", "{{ slice .Values.text 1 2 }}", "{{ call .Values.text }}", "{{ html \"<a>\" }} {{ js \"it's\" }} {{ urlquery \"a b\" }} {{ .Values.list | html }}",
	"{{ .Values.text | upper | quote }}", "{{ .Values.text | trunc 3 }}", "{{ .Values.number | upper }}", "{{ .Values.number | quote }} {{ .Values.list | quote }} {{ .Values.nothing | quote }} {{ .Values.none | squote }}", "{{ .Values.none | default \"d\" }} {{ default .Values.text .Values.nothing }}", "{{ keys .Values.none }}", "{{ .Values.none | keys }}", "{{ $n := .Values.none }}{{ keys $n | len }}", "{{ get .Values.map \"a\" }}{{ get .Values.map \"none\" }}", "{{ hasKey .Values \"text\" }}{{ hasKey .Values.map \"none\" }}", "{{ hasKey .Values.none \"a\" }}", "{{ dig \"a\" \"b\" \"d\" .Values.map }}", "{{ dig \"map\" \"a\" \"d\" .Values }}", "{{ (dict \"a\" nil).a }}", "{{ (dict \"a\" nil).a.b }}", "{{ ternary \"a\" \"b\" .Values.on }}", "{{ ternary \"a\" \"b\" .Values.none }}", "{{ coalesce .Values.none 0 \"x\" }}", "{{ list 1 2 3 | join \"-\" }}", "{{ join \",\" .Values.mixed }}", "{{ .Values.list | toStrings }}",
	"{{ $d := dict }}{{ $_ := set $d \"a\" 1 }}{{ $d.a }}", "{{ $_ := set .Values \"new\" 1 }}{{ .Values.new }}", "{{ $_ := set . \"own\" 1 }}{{ .own }}{{ $.own }}", "{{ $m := merge (dict \"a\" (dict \"x\" 1)) .Values.map (dict \"c\" 3) }}{{ toYaml $m }}", "{{ mergeOverwrite (dict \"a\" 1 \"n\" nil) (dict \"a\" nil \"n\" 2) (dict \"a\" 0) | toJson }}", "{{ $c := deepCopy .Values.map }}{{ $_ := set $c \"a\" 9 }}{{ .Values.map.a }}{{ $c.a }}", "{{ deepCopy .Values | toYaml }}", "{{ omit .Values.map \"a\" | toJson }}{{ pick .Values.map \"a\" | toJson }}", "{{ append .Values.list 9 }} {{ prepend .Values.list 0 }} {{ concat .Values.list (list 1) }} {{ first .Values.list }} {{ last .Values.list }} {{ rest .Values.list }} {{ initial .Values.list }} {{ has 1 .Values.list }} {{ uniq .Values.list }} {{ without .Values.list \"a\" }} {{ reverse .Values.list }} {{ compact .Values.mixed }} {{ sortAlpha .Values.list }}",
	"{{ kindOf .Values }} {{ typeOf .Values }} {{ kindIs \"map\" .Values.map }} {{ typeOf .Values.number }} {{ typeOf .Files }} {{ kindOf .Files }} {{ typeOf .Capabilities.KubeVersion.Version }} {{ typeOf .Values.none }} {{ typeOf .Subcharts }} {{ typeOf .Template }} {{ typeOf .Release }}", "{{ typeOf .Capabilities }} {{ kindOf .Capabilities }}", "{{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.KubeVersion.Major }} {{ .Capabilities.KubeVersion.GitVersion }} {{ .Capabilities.KubeVersion }}", "{{ .Capabilities.APIVersions.Has \"v1\" }}{{ if .Capabilities.APIVersions.Has \"none/v1\" }}x{{ end }}{{ \"apps/v1\" | .Capabilities.APIVersions.Has }}", "{{ .Capabilities.HelmVersion.Version | empty }} {{ len .Capabilities.APIVersions }}", "{{ semverCompare \">=1.20-0\" .Capabilities.KubeVersion.Version }} {{ (semver \"1.2.3\").Major }}", "{{ .Capabilities.KubeVersion.String }}", "{{ .Capabilities.None }}", "{{ .Capabilities }}{{ .Capabilities.HelmVersion }}", "{{ $k := .Capabilities.KubeVersion }}{{ $k.Minor }}{{ $k }}{{ kindOf $k }}{{ typeOf .Capabilities.KubeVersion }}{{ print $k }}{{ not $k }}{{ (or $k 1).Version }}{{ list $k }}{{ with $k }}{{ .Version }}{{ end }}{{ include \"version\" $k }}", "{{ $ := dict \"a\" 1 }}{{ $.a }}{{ with .Values }}{{ $.a }}{{ end }}", "{{ $t := toDate \"2006\" \"2020\" }}{{ eq $t $t }}{{ eq $t (toDate \"2006\" \"2021\") }}", "{{ 1i }} {{ index \"abc\" 1 }}",
	"{{ .Chart.Name }} {{ .Chart.Version }} {{ .Chart.AppVersion }} {{ .Chart.IsRoot }} {{ .Chart.Type }} {{ .Chart.Dependencies }} {{ .Chart.Annotations }} {{ .Chart.Maintainers }} {{ .Chart.None }}", "{{ toYaml .Chart }}", "{{ .Release.Name }} {{ .Release.Namespace }} {{ .Release.IsInstall }} {{ .Release.Revision }} {{ .Release.Service }}", "{{ .Template.Name }} {{ .Template.BasePath }} {{ $.Template.Name | base }}", "{{ toYaml . | len | kindOf }}", "{{ .Values.YAML }}", "{{ .Values.AsMap.text }}", "{{ .Values.Table \"map\" }}", "{{ (.Values.PathValue \"map.a\") }}",
	"{{ .Files.Get \"files/a.txt\" }}{{ .Files.Get \"none\" }}", "{{ range $p, $b := .Files.Glob \"files/*\" }}{{ $p }}={{ $.Files.Get $p }};{{ end }}", "{{ (.Files.Glob \"files/*\").AsConfig }}{{ (.Files.Glob \"files/*\").AsSecrets }}", "{{ range .Files.Lines \"files/a.txt\" }}[{{ . }}]{{ end }}", "{{ .Files.Get \"../Chart.yaml\" }}{{ .Files.Get \"/etc/passwd\" }}", "{{ .Files.GetBytes \"files/a.txt\" }}", "{{ .Files.Get .Values.number }}", "{{ .Files.Get \"a\" \"b\" }}",
	"{{ include \"named\" . }}{{ include \"named\" .Values.map | nindent 2 }}", "{{ include \"none\" . }}", "{{ template \"named\" . }}{{ template \"named\" }}", "{{ include \"recursive\" 3 }}", "{{ define \"own\" }}[{{ . }}]{{ end }}{{ include \"own\" 1 }}{{ template \"own\" \"x\" }}", "{{ block \"blk\" . }}b{{ end }}", "{{ include \"named\" (dict \"text\" 1) }}", "{{ include \"missing\" . | quote }}", "{{ include (print $.Template.BasePath \"/a.yaml\") . | sha256sum }}", "{{ include \"vars\" . }}", "{{ include \"named\" nil }}",
	"{{ tpl \"plain\" . }}{{ tpl .Values.template . }}{{ tpl \"<no value>\" . }}", "{{ tpl \"{{ .x }}{{ $.x }}\" (dict \"x\" 1) }}", "{{ tpl \"{{ define \\\"named\\\" }}mine{{ end }}{{ include \\\"named\\\" . }}\" . }}{{ include \"named\" . }}", "{{ tpl \"{{ tpl .Values.template . }}{{ include \\\"named\\\" . }}\" . }}", "{{ tpl \"{{ \" . }}", "{{ tpl \"{{ .Values.none }}\" . }}", "{{ tpl \"{{/* nothing */}}\" . }}", "{{ tpl .Values.number . }}", "{{ tpl (toYaml .Values.map) $ }}", "{{ tpl \"{{ fail \\\"x\\\" }}\" . }}",
	"{{ toYaml .Values }}", "{{ toYaml .Values.none }}", "{{ .Values.map | toYaml | fromYaml | toJson }}", "{{ fromYaml \"a: [\" }}", "{{ fromYaml \"a: 1\\nb: [x]\" | toYaml }}", "{{ fromYamlArray \"- 1\\n- a\" }}", "{{ fromYaml \"\" | toJson }}{{ fromYaml \"x\" }}", "{{ toJson .Values }}{{ toPrettyJson .Values.map }}{{ toRawJson .Values.text }}", "{{ fromJson \"{\\\"a\\\": 1}\" }}{{ fromJson \"x\" }}{{ fromJsonArray \"[1]\" }}", "{{ mustToYaml .Values.map }}{{ mustToJson .Values.list }}", "{{ toToml .Values.map }}", "{{ fromToml \"a = 1\" }}", "{{ toYamlPretty .Values.map }}", "{{ durationSeconds \"1m\" }} {{ durationRoundTo \"1h1m\" \"1h\" }} {{ mustToDuration 5 }} {{ durationMinutes .Values.none }}", "{{ mustToDuration .Values.none }}", "{{ mustToToml .Values.list }}", "{{ range $i := 3 }}{{ $i }}{{ if eq $i 1 }}{{ break }}{{ end }}{{ else }}none{{ end }}", "{{ range 0 }}x{{ else }}none{{ end }}", "{{ range (int64 2) }}{{ kindOf . }}{{ end }}", "{{ printf \"%c\" 'e' }}{{ '.' }}{{ +5 }}",
	"{{ required \"needed\" .Values.text }}", "{{ required \"needed\" .Values.none }}", "{{ fail \"no\" }}", "{{ lookup \"v1\" \"Pod\" \"a\" \"b\" }}{{ (lookup \"v1\" \"Pod\" \"\" \"\").items }}", "{{ getHostByName \"localhost\" }}", "{{ env \"HOME\" }}",
	"{{ add 1 2 }} {{ sub 5 3 }} {{ mul 2 3 }} {{ div 7 2 }} {{ mod 7 2 }} {{ max 1 2 }} {{ min 1 2 }} {{ round 3.14159 2 }} {{ ceil 1.2 }} {{ floor 1.8 }} {{ add1 .Values.number }} {{ int .Values.text }} {{ int64 .Values.float }} {{ float64 \"1.5\" }} {{ atoi \"5\" }} {{ toString .Values.number }}", "{{ div 1 0 }}", "{{ add 1.5 .Values.none }}", "{{ seq 3 }} {{ untilStep 1 9 3 }}",
	"{{ trim \" a \" }}|{{ trimSuffix \"b\" \"ab\" }}|{{ trimPrefix \"a\" \"ab\" }}|{{ replace \"a\" \"b\" \"aaa\" }}|{{ contains \"a\" \"abc\" }}|{{ hasPrefix \"a\" \"abc\" }}|{{ nospace \"a b\" }}|{{ repeat 3 \"ab\" }}|{{ indent 2 \"a\\nb\" }}|{{ nindent 2 \"a\" }}|{{ title \"abc\" }}|{{ snakecase \"AbC\" }}|{{ kebabcase \"AbC\" }}|{{ camelcase \"a_b\" }}|{{ substr 0 2 \"abcd\" }}|{{ wrap 5 \"aaa bbb\" }}|{{ cat \"a\" 1 nil }}|{{ plural \"one\" \"many\" 2 }}", "{{ b64enc \"a\" }}{{ b64dec \"YQ==\" }}{{ sha256sum \"a\" }}{{ adler32sum \"a\" }}", "{{ regexMatch \"^a\" \"abc\" }}{{ regexReplaceAll \"a(b)\" \"abab\" \"${1}x\" }}{{ regexFind \"b+\" \"abbb\" }}{{ regexSplit \",\" \"a,b\" -1 }}{{ regexReplaceAllLiteral \"a\" \"aa\" \"$\" }}", "{{ trimAll \"$\" \"$5\" }}{{ split \"-\" \"a-b\" }}{{ (split \"-\" \"a-b\")._0 }}", "{{ dict \"a\" }}", "{{ dict 1 2 }}", "{{ list }} {{ dict }}", "{{ tuple | len }}", "{{ pluck \"a\" .Values.map (dict \"a\" 2) }}", "{{ chunk 2 (list 1 2 3) }}", "{{ all 1 .Values.none }}{{ any 0 1 }}{{ empty .Values.list }}{{ deepEqual .Values.list .Values.list }}", "{{ urlParse \"http://a:80/b?c=d\" }}", "{{ date \"2006\" (toDate \"2006-01-02\" \"2017-12-31\") }}", "{{ unset .Values.map \"a\" }}{{ values (dict \"a\" 1) }}",
	"{{- /* comment */ -}} a {{- \" b \" -}} c ", "{{ \"}}\" }}", "{{ .Values.text", "{{ end }}", "{{ unknown 1 }}", "{{ upper }}", "{{ upper 1 }}", "{{ upper \"a\" \"b\" }}", "{{ 1 | 2 }}", "{{ .Values.text \"arg\" }}", "{{ .Values.text.x }}", "{{ .Values.list.x }}", "{{ (1).x }}", "{{ $undefined }}", "{{ (.Values).text }}{{ (.Values.map).a }}{{ (dict \"a\" (dict \"b\" 1)).a.b }}", "{{ (.Values.list | first).x }}", "{{ if .Values.number }}{{ end }}{{ if .Files }}f{{ end }}{{ if .Capabilities }}c{{ end }}{{ if .Values.zero }}z{{ end }}", "{{ $x := .Values.map }}{{ $x.a }}{{ $.Values.map.b }}", "{{ .Values.a-b }}", "{{ print (print 1) (print 2) | len }}", "{{ $a := dict \"x\" (list 1 2) }}{{ range $a.x }}{{ . }}{{ end }}{{ index $a.x 1 }}", "{{ with (dict \"a\" 1) }}{{ .a }}{{ end }}{{ break }}", "{{ range .Values.list }}{{ $_ := set $.Values \"text\" . }}{{ end }}{{ .Values.text }}",
	"{{ range $k, $v := .Values.map }}{{ $_ := unset $.Values.map $k }}{{ $k }}{{ end }}{{ .Values.map }}", "{{ range $i, $_ := list 1 2 }}{{ range $j, $_ := list 3 4 }}{{ if eq $j 1 }}{{ break }}{{ end }}{{ $i }}{{ $j }} {{ end }}{{ end }}", "{{ .Values.none | toYaml }}|{{ list nil | toYaml }}|{{ dict \"a\" .Values.none | toYaml }}", "{{ $l := list }}{{ range .Values.mixed }}{{ $l = append $l . }}{{ end }}{{ toJson $l }}", "{{ $v := index .Values.mixed 0 }}{{ $v.x }}", "{{ range $v := .Values.mixed }}{{ upper $v }}{{ end }}", "{{ with .Values.mixed }}{{ range . }}{{ default \"d\" . }}{{ end }}{{ end }}",
}

const snippetValues = `{"text": "some text", "nothing": null, "number": 5, "float": 2.5, "big": 12345678901, "small": 0.0000001, "whole": 3.0, "one": 1, "zero": 0, "on": true,
 "list": ["a", "b", 1, 2.5], "map": {"a": 1, "b": {"c": "d"}}, "mixed": [null, {"x": 1}, "", "s", [1], {}], "template": "{{ .Release.Name }}-{{ .Values.text | upper }}", "a-b": 1}`

func snippetChart(template string, values []byte) *Chart {
	c := &chart.Chart{Metadata: &chart.Metadata{APIVersion: "v2", Name: "demo", Version: "1.2.3", AppVersion: "v4"}}
	c.Files = append(c.Files, file("files/a.txt", "one\ntwo\n"), file("files/b.txt", "three"))
	c.Templates = append(c.Templates, file("templates/a.yaml", "a: {{ .Values.text }}\n"),
		file("templates/_named.tpl", "{{ define \"named\" }}<{{ .text | default .Values }}>{{ end }}{{ define \"version\" }}{{ .Version }}{{ end }}{{ define \"missing\" }}{{ .Values.none }}{{ end }}{{ define \"vars\" }}{{ $x := 1 }}{{ $.Release.Name }}{{ $x }}{{ end }}{{ define \"recursive\" }}{{ . }}{{ if gt . 0 }}{{ include \"recursive\" (int (sub . 1)) }}{{ end }}{{ end }}"),
		file("templates/snippet.yaml", template))
	if err := json.Unmarshal(values, &c.Values); err != nil {
		panic(err)
	}
	return &Chart{loaded: c}
}

// TestSnippetsRenderAsWithHelm holds the language, function by function, to
// Helm's engine.
func TestSnippetsRenderAsWithHelm(t *testing.T) {
	sure := 0
	for _, snippet := range snippets {
		var presses Presses
		if compare(t, &presses, Request{Chart: snippetChart(snippet, []byte(snippetValues)), Name: snippet, Namespace: "ns"}) {
			sure++
		}
	}
	if share := float64(sure) / float64(len(snippets)); share < 0.6 {
		t.Errorf("only %.0f %% are rendered without Helm", share*100)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, snippet := range snippets {
		f.Add(snippet, "")
	}
	for _, more := range []string{`{"text": "{{ .Values.map }}", "list": [{"a": [1, null]}], "map": {"a": "x: y\n"}}`, `{"text": 5, "list": {}, "map": [], "number": "x"}`} {
		f.Add("{{ toYaml .Values }}{{ .Values.text }}", more)
	}
	f.Fuzz(func(t *testing.T, template, values string) {
		for _, varies := range append(varying, "keys", "values", "pluck", "repeat", "until", "seq", "regex", "indent", "0x", "e9", "shuffle", "000") {
			if strings.Contains(template, varies) {
				return
			}
		}
		var m map[string]any
		if json.Unmarshal([]byte(values), &m) != nil || m == nil {
			values = snippetValues
		}
		if len(template) > 400 || len(values) > 1000 {
			return
		}
		var presses Presses
		compare(t, &presses, Request{Chart: snippetChart(template, []byte(values)), Name: "r", Namespace: "ns"})
	})
}

// TestChartsAtHandRenderAsWithHelm renders every chart in the project, with
// values of all shapes.
func TestChartsAtHandRenderAsWithHelm(t *testing.T) {
	for _, folder := range chartFolders(t) {
		c, err := new(Charts).Load(t.Context(), folder, folder)
		if err != nil {
			continue // a library, or a chart that is broken on purpose
		}
		var presses Presses
		sure := 0
		for i, values := range shapes() {
			if compare(t, &presses, Request{Chart: c, Name: fmt.Sprint("r", i), Namespace: "apps", Upgrade: i%2 == 1, Values: Values{Map: values}, Capabilities: recent(t)}) {
				sure++
			}
		}
		t.Logf("%s: %d of %d renderings without Helm", folder, sure, len(shapes()))
		if sure == 0 {
			t.Errorf("%s is never rendered without Helm", folder)
		}
	}
}

// family is a chart with subcharts of all kinds, hooks and CRDs.
var family = map[string]string{
	"Chart.yaml": `apiVersion: v2
name: family
version: 1.0.0
appVersion: "5"
annotations: {a: b}
dependencies:
- {name: web, version: 1.0.0, condition: "web.enabled,global.web", tags: [front], import-values: [{child: exported, parent: imported}]}
- {name: web, version: 1.0.0, alias: second, condition: second.enabled}
- {name: lib, version: 1.0.0}
`,
	"values.yaml":                             "web: {enabled: true, name: outer}\nsecond: {enabled: false}\nglobal: {domain: example.org}\ntags: {front: true}\n",
	"crds/w.yaml":                             "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: ws.example.org}\n",
	"templates/NOTES.txt":                     "{{ .Release.Name }} {{ .Values.imported }}",
	"templates/hook.yaml":                     "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ include \"lib.name\" . }}\n  annotations: {helm.sh/hook: \"pre-install,post-upgrade\", helm.sh/hook-weight: \"-1\"}\n",
	"templates/all.yaml":                      "{{ range $name, $sub := .Subcharts }}\n# {{ $name }} {{ $sub.Values.name }} {{ $sub.Chart.Name }} {{ $sub.Release.Name }} {{ $sub.Chart.IsRoot }}\n{{ end }}{{ include \"web.own\" .Subcharts.web }}{{ toYaml .Values }}\n",
	"charts/web/Chart.yaml":                   "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: deep, version: 1.0.0, condition: deep.enabled}]\n",
	"charts/web/values.yaml":                  "name: inner\nport: 80\nexported: {x: 1}\ndeep: {enabled: true}\n",
	"charts/web/templates/_own.tpl":           "{{ define \"web.own\" }}{{ .Values.name }}:{{ .Values.port }}{{ end }}{{ define \"same\" }}web{{ end }}",
	"charts/web/templates/own.yaml":           "name: {{ include \"web.own\" . }} {{ .Values.global.domain }} {{ .Template.Name }} {{ .Template.BasePath }} {{ include \"same\" . }} {{ .Files.Get \"f.txt\" }}\n",
	"charts/web/f.txt":                        "web's file",
	"charts/web/charts/deep/Chart.yaml":       "apiVersion: v2\nname: deep\nversion: 1.0.0\n",
	"charts/web/charts/deep/templates/d.yaml": "deep: {{ .Values.global.domain }} {{ .Chart.Name }} {{ .Values | toJson }}\n{{ define \"same\" }}deep{{ end }}",
	"charts/lib/Chart.yaml":                   "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
	"charts/lib/templates/_lib.tpl":           "{{ define \"lib.name\" }}{{ .Chart.Name }}-{{ .Release.Revision }}{{ end }}",
	"charts/lib/templates/not.yaml":           "never: rendered\n",
}

// TestFamilyRendersAsWithHelm renders subcharts, aliases, conditions, tags,
// globals and imported values.
func TestFamilyRendersAsWithHelm(t *testing.T) {
	c := loadChart(t, family)
	var presses Presses
	for i, text := range []string{
		`{}`, `{"web": {"enabled": false}}`, `{"second": {"enabled": true, "port": 81}}`, `{"global": {"domain": "x", "web": false}}`, `{"tags": {"front": false}}`,
		`{"web": {"deep": {"enabled": false}}}`, `{"web": {"exported": {"x": 2}}, "imported": 3}`, `{"web": 5}`, `{"web": null}`,
	} {
		var values map[string]any
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			t.Fatal(err)
		}
		r := Request{Chart: c, Name: fmt.Sprint("r", i), Namespace: "ns", Values: Values{Map: values}}
		if !compare(t, &presses, r) && i < 7 && i != 1 && i != 3 && i != 4 {
			t.Errorf("%s is left to Helm", text)
		}
	}
}

// FuzzValues renders the charts that the project has with values of any shape.
func FuzzValues(f *testing.F) {
	for i := range 6 {
		data, err := json.Marshal(libraryValues(i))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	for _, values := range shapes() {
		data, err := json.Marshal(values)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add(`{"web": {"enabled": true, "name": "{{ .x }}"}, "text": "{{ .Values.global }}", "lib": {"word": null}}`)
	charts := []*Chart{libraryChart(), loadChart(f, family), loadChart(f, demanding)}
	template, err := new(Charts).Load(f.Context(), filepath.Join("..", "..", "..", "charts", "app-template"), "sha256:app-template")
	if err != nil {
		f.Fatal(err)
	}
	charts = append(charts, template)
	f.Fuzz(func(t *testing.T, text string) {
		var values map[string]any
		if len(text) > 1<<13 || json.Unmarshal([]byte(text), &values) != nil {
			return
		}
		var presses Presses
		for _, c := range charts {
			compare(t, &presses, Request{Chart: c, Name: "r", Namespace: "ns", Values: Values{Map: values}, Capabilities: recent(t)})
		}
	})
}

// chartFolders finds the project's charts.
func chartFolders(t *testing.T) (folders []string) {
	root := filepath.Join("..", "..", "..")
	for _, part := range []string{"charts", "examples", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, part), func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.Name() == "Chart.yaml" {
				folders = append(folders, filepath.Dir(path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(folders) == 0 {
		t.Fatal("no charts found")
	}
	return folders
}

// shapes are values as homelabs give them to charts.
func shapes() (list []map[string]any) {
	for _, text := range []string{
		`{}`,
		`{"controllers": {"main": {"containers": {"app": {"image": {"repository": "example.org/a", "tag": "1.0"}, "env": {"A": "{{ .Release.Name }}", "B": 5, "C": true}, "probes": {"liveness": {"enabled": true}}}}}}, "service": {"main": {"controller": "main", "ports": {"http": {"port": 80}}}}}`,
		`{"controllers": {"web": {"type": "statefulset", "replicas": 2, "annotations": {"a": "{{ .Values.global.x }}"}, "containers": {"app": {"image": {"repository": "r", "tag": "t@sha256:00"}, "resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "10m"}}, "args": ["--x", "{{ .Release.Namespace }}"]}}, "initContainers": {"init": {"image": {"repository": "i", "tag": 3}}}}, "job": {"type": "cronjob", "cronjob": {"schedule": "@daily"}, "containers": {"app": {"image": {"repository": "r", "tag": "t"}}}}}, "global": {"x": "y"}, "persistence": {"data": {"existingClaim": "c", "globalMounts": [{"path": "/data"}]}, "tmp": {"type": "emptyDir"}, "conf": {"type": "configMap", "name": "n", "advancedMounts": {"web": {"app": [{"path": "/c", "subPath": "s"}]}}}}, "ingress": {"main": {"className": "x", "hosts": [{"host": "{{ .Release.Name }}.example.org", "paths": [{"path": "/", "service": {"identifier": "main", "port": "http"}}]}]}}, "service": {"main": {"controller": "web", "ports": {"http": {"port": 8080}}}}, "configMaps": {"c": {"data": {"k": "a\nb\n"}}}}`,
		`{"controllers": {"main": {"containers": {}}}}`,
		`{"controllers": 5, "image": "x", "replicas": "2"}`,
		`{"nameOverride": "other", "fullnameOverride": "{{ .Release.Name }}-x", "defaultPodOptions": {"securityContext": {"runAsUser": 1000}}, "rawResources": {"r": {"apiVersion": "v1", "kind": "ConfigMap", "spec": {"data": {"a": "b"}}}}}`,
	} {
		var m map[string]any
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			panic(err)
		}
		list = append(list, m)
	}
	return list
}
