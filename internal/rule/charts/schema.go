package charts

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"

	"hearth/internal/render/helm"
)

// schemaFile is where a chart keeps the schema of its values.
const schemaFile = "values.schema.json"

// schemas are the compiled schemas of charts, those of their subcharts among
// them. What a schema takes from the network is looked for in the files of the
// chart and its subcharts; nothing is ever fetched.
type schemas struct {
	shelves  map[*helm.Chart]*shelf
	compiled map[schemaKey]*jsonschema.Schema
	notes    []string
}

type schemaKey struct {
	chart *helm.Chart
	path  string
}

// read takes the schema files of a chart, once.
func (s *schemas) read(key *helm.Chart, chart *chartv2.Chart) {
	if s.shelves == nil {
		s.shelves, s.compiled = map[*helm.Chart]*shelf{}, map[schemaKey]*jsonschema.Schema{}
	}
	if s.shelves[key] == nil {
		s.shelves[key] = newShelf(chart)
	}
}

// of returns the schema of a chart or of one of its subcharts; nil where it
// has none, or none that can be used.
func (s *schemas) of(root *helm.Chart, chart *chartv2.Chart) *jsonschema.Schema {
	if len(chart.Schema) == 0 {
		return nil
	}
	key := schemaKey{root, chart.ChartFullPath()}
	if schema, known := s.compiled[key]; known {
		return schema
	}
	schema, err := s.shelves[root].compile(chart)
	if err != nil {
		note := fmt.Sprintf("the schema of the chart %s cannot be used, so that values are not held against it: %v", chart.Name(), err)
		if !slices.Contains(s.notes, note) {
			s.notes = append(s.notes, note)
		}
	}
	s.compiled[key] = schema
	return schema
}

// shelf holds the schema files of a chart and its subcharts. It loads them for
// the compiler, and nothing else.
type shelf struct {
	// byURL holds files under the address that they give themselves, or else
	// under one made of the chart's place in its parents.
	byURL map[string][]byte
	// byName holds them as CHART/FILE.
	byName map[string][]byte
}

func newShelf(chart *chartv2.Chart) *shelf {
	s := &shelf{byURL: map[string][]byte{}, byName: map[string][]byte{}}
	s.add(chart)
	return s
}

func (s *shelf) add(chart *chartv2.Chart) {
	bases := []string{baseURL(chart)}
	if id := idOf(chart.Schema); id != "" {
		bases = append(bases, id[:strings.LastIndex(id, "/")+1])
	}
	put := func(name string, data []byte) {
		for _, base := range bases {
			s.byURL[base+name] = data
		}
		s.byName[chart.Name()+"/"+name] = data
		if id := idOf(data); id != "" {
			s.byURL[id] = data
		}
	}
	if len(chart.Schema) > 0 {
		put(schemaFile, chart.Schema)
	}
	for _, f := range chart.Files {
		if strings.HasSuffix(f.Name, ".json") {
			put(f.Name, f.Data)
		}
	}
	for _, sub := range chart.Dependencies() {
		s.add(sub)
	}
}

// baseURL is the address of a chart's files among its parents'.
func baseURL(chart *chartv2.Chart) string {
	return "file:///" + (&url.URL{Path: chart.ChartFullPath()}).EscapedPath() + "/"
}

// idOf returns the absolute address that a schema gives itself, or "".
func idOf(data []byte) string {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return ""
	}
	m, _ := document.(map[string]any)
	id, _ := m["$id"].(string)
	if id == "" {
		id, _ = m["id"].(string)
	}
	id, _, _ = strings.Cut(id, "#")
	if u, err := url.Parse(id); err != nil || !u.IsAbs() || u.Host == "" {
		return ""
	}
	return id
}

// compile compiles a chart's schema.
func (s *shelf) compile(chart *chartv2.Chart) (schema *jsonschema.Schema, err error) {
	defer func() {
		if recover() != nil { // the compiler gives up on some broken schemas
			schema, err = nil, errors.New("it is no schema")
		}
	}()
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(s)
	schema, err = compiler.Compile(baseURL(chart) + schemaFile)
	if load := (*jsonschema.LoadURLError)(nil); errors.As(err, &load) {
		return nil, load.Err // which names the address
	}
	return schema, err
}

// Load finds a file by its address, or else by the chart's and its own name at
// the address's end: a schema tends to name its library in another version.
func (s *shelf) Load(address string) (any, error) {
	data, ok := s.byURL[address]
	if !ok {
		data, ok = s.byName[nameOf(s.byName, address)]
	}
	if !ok {
		return nil, fmt.Errorf("it refers to %s, which is none of the chart's own files", address)
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(data))
}

// nameOf returns the longest CHART/FILE that an address ends with.
func nameOf(files map[string][]byte, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	rest := strings.TrimPrefix(path.Clean(u.Path), "/")
	for rest != "" {
		if _, ok := files[rest]; ok {
			return rest
		}
		_, rest, _ = strings.Cut(rest, "/")
	}
	return ""
}
