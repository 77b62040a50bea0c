package helm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"

	"hearth/internal/render/helm/gotemplate"
	"hearth/internal/render/helm/yamltext"
)

// varying are functions whose answer may be another the next time, or on
// another machine: what they render is not kept.
var varying = []string{
	"ago", "date", "date_in_zone", "dateInZone", "date_modify", "dateModify", "must_date_modify", "mustDateModify", "duration", "durationRound",
	"htmlDate", "htmlDateInZone", "mustToDate", "toDate", "now", "unixEpoch",
	"randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle", "uuidv4",
	"bcrypt", "htpasswd", "encryptAES", "genPrivateKey", "buildCustomCert", "genCA", "genCAWithKey",
	"genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "lookup",
}

// ofHelm are functions of Helm's engine that few charts use.
var ofHelm = []string{
	"toToml", "mustToToml", "fromToml", "toYamlPretty", "mustToDuration", "durationSeconds", "durationMilliseconds",
	"durationMicroseconds", "durationNanoseconds", "durationMinutes", "durationHours", "durationDays", "durationWeeks",
	"durationRoundTo", "durationTruncateTo",
}

// askHelm has Helm's engine call one of its functions.
func askHelm(name string, args []any) (result any, err error) {
	values, call := map[string]any{}, name
	for i, arg := range args {
		if !yamltext.Bounded(arg) {
			return nil, tooMuch(name)
		}
		values[fmt.Sprint("a", i)] = arg
		call += fmt.Sprint(" .Values.a", i)
	}
	take := func(value any) string {
		result = value
		return ""
	}
	asking := &chart.Chart{Metadata: &chart.Metadata{Name: "ask"}, Templates: []*common.File{{Name: "templates/ask", Data: []byte("{{ hearthTake (" + call + ") }}")}}}
	_, err = engine.Engine{CustomTemplateFuncs: template.FuncMap{"hearthTake": take}}.RenderWithContext(context.Background(), asking, common.Values{"Values": values})
	return result, err
}

// ofSprig returns its functions, but those that tell the environment.
func ofSprig() template.FuncMap {
	functions := sprig.TxtFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	return functions
}

// library returns all that a template may call, but what needs the rendering.
func library() template.FuncMap {
	functions := ofSprig()
	for _, name := range ofHelm {
		functions[name] = func(args ...any) (any, error) { return askHelm(name, args) }
	}
	maps.Copy(functions, template.FuncMap{
		"toJson":        toJSON,
		"mustToJson":    mustToJSON,
		"fromJson":      fromJSON,
		"fromJsonArray": fromJSONArray,
		"required":      required,
		"getHostByName": func(string) string { return "" },
	})
	maps.Copy(functions, Functions(nil))
	delete(functions, "lookup")
	return functions
}

// quickYAML are Helm's functions for YAML.
var quickYAML = template.FuncMap{
	"toYaml":        func(value any) (string, error) { return refusing(yamltext.String(value)) },
	"mustToYaml":    func(value any) (string, error) { return refusing(yamltext.Must(value)) },
	"fromYaml":      yamltext.Map,
	"fromYamlArray": yamltext.List,
}

func refusing(text string, err error) (string, error) {
	if errors.Is(err, yamltext.ErrTooLarge) {
		err = fmt.Errorf("%w: %w", gotemplate.ErrRefused, err)
	}
	return text, err
}

func toJSON(value any) string {
	text, _ := mustToJSON(value)
	return text
}

func mustToJSON(value any) (string, error) {
	data, err := json.Marshal(value)
	return string(data), err
}

func fromJSON(text string) map[string]any {
	m := map[string]any{}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		m["Error"] = err.Error()
	}
	return m
}

func fromJSONArray(text string) []any {
	list := []any{}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		list = []any{err.Error()}
	}
	return list
}

// required fails as Helm's does; Helm's engine then says where.
func required(message string, value any) (any, error) {
	if value == nil || value == "" {
		return nil, fmt.Errorf("%s", message)
	}
	return value, nil
}
