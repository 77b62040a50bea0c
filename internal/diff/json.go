package diff

import (
	"encoding/json"
	"io"

	"hearth/internal/domain"
)

// The report as JSON, for programs.
type (
	jsonReport struct {
		Base         string            `json:"base"`
		Revision     string            `json:"revision,omitempty"`
		Applications []jsonApplication `json:"applications"`
		Hidden       int               `json:"hidden"`
		Notes        []string          `json:"notes,omitempty"`
	}
	jsonApplication struct {
		Namespace string       `json:"namespace,omitempty"`
		Name      string       `json:"name"`
		Charts    []jsonChart  `json:"charts,omitempty"`
		Objects   []jsonObject `json:"objects"`
		Problems  []string     `json:"problems,omitempty"`
	}
	jsonChart struct {
		Release string `json:"release"`
		Before  string `json:"before,omitempty"`
		After   string `json:"after,omitempty"`
	}
	jsonObject struct {
		Change    Kind          `json:"change"`
		Group     string        `json:"group,omitempty"`
		Kind      string        `json:"kind"`
		Namespace string        `json:"namespace,omitempty"`
		Name      string        `json:"name"`
		MovesFrom string        `json:"movesFrom,omitempty"`
		Place     string        `json:"place,omitempty"`
		Fields    []jsonField   `json:"fields,omitempty"`
		Effects   []jsonVerdict `json:"effects,omitempty"`
	}
	jsonField struct {
		Change Kind   `json:"change"`
		Path   string `json:"path"`
		Before any    `json:"before,omitempty"`
		After  any    `json:"after,omitempty"`
		Place  string `json:"place,omitempty"`
	}
	jsonVerdict struct {
		Effect  Effect `json:"effect"`
		Message string `json:"message"`
	}
)

// WriteJSON writes a report as JSON.
func WriteJSON(out io.Writer, r *Report) error {
	report := jsonReport{Base: r.Base, Revision: r.Revision, Applications: []jsonApplication{}, Hidden: r.Hidden, Notes: r.Notes}
	for _, app := range r.Applications {
		a := jsonApplication{Namespace: app.Of.Namespace, Name: nameOf(app.Of), Objects: []jsonObject{}, Problems: app.Problems}
		for _, c := range app.Charts {
			a.Charts = append(a.Charts, jsonChart{c.Release.String(), c.Before, c.After})
		}
		for _, o := range app.Objects {
			a.Objects = append(a.Objects, o.json())
		}
		report.Applications = append(report.Applications, a)
	}
	return encode(out, report)
}

func encode(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func nameOf(app domain.Ref) string {
	if app == bootstrap {
		return "bootstrap"
	}
	return app.Name
}

func (o *Object) json() jsonObject {
	j := jsonObject{Change: o.Kind, Group: o.Key.Group, Kind: o.Key.Kind, Namespace: o.Key.Namespace, Name: o.Key.Name, Place: o.Place.String()}
	if o.From != nil {
		j.MovesFrom = o.From.Namespace + "/" + nameOf(*o.From)
	}
	for _, f := range o.Fields {
		j.Fields = append(j.Fields, jsonField{f.Kind, f.Path, unmarkedValue(f.Before), unmarkedValue(f.After), f.Place.String()})
	}
	for _, v := range o.Verdicts {
		j.Effects = append(j.Effects, jsonVerdict(v))
	}
	return j
}

// unmarkedValue takes the digests of secrets out of a value.
func unmarkedValue(v any) any {
	switch v := v.(type) {
	case string:
		return unmarked(v)
	case []any:
		list := make([]any, len(v))
		for i, entry := range v {
			list[i] = unmarkedValue(entry)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, value := range v {
			m[name] = unmarkedValue(value)
		}
		return m
	}
	return v
}
