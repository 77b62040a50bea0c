package charts

import (
	"maps"
	"slices"
	"strings"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
)

// chartReads is what the templates of a chart, and of those in it, read of
// their values, as far as it can be told from the templates alone.
type chartReads struct {
	chart *chartv2.Chart
	// open says that anything may be read.
	open bool
	top  *read
	// subcharts are the names that values of subcharts stand below, at any
	// depth; what is read of them counts with and without that name.
	subcharts map[string]bool
}

// read is one value, and what is read below it.
type read struct {
	// open says that the value is used as a whole: with all that is below it.
	open  bool
	below map[string]*read
}

func readsOf(chart *chartv2.Chart) *chartReads {
	reads := &chartReads{chart: chart, top: &read{}, subcharts: map[string]bool{}}
	reads.gather(chart, 0)
	return reads
}

func (c *chartReads) gather(chart *chartv2.Chart, depth int) {
	if depth > maxDepth {
		c.open = true
		return
	}
	for _, file := range chart.Templates {
		c.template(string(file.Data), true)
	}
	// Files and values may be templates, too, for those who read them with tpl.
	for _, file := range chart.Files {
		c.text(string(file.Data))
	}
	c.values(chart.Values, 0)
	if chart.Metadata == nil {
		return
	}
	held := map[string]bool{}
	for _, sub := range chart.Dependencies() {
		held[sub.Name()] = true
		c.subcharts[sub.Name()] = true
		c.gather(sub, depth+1)
	}
	for _, d := range chart.Metadata.Dependencies {
		for _, condition := range strings.Split(d.Condition, ",") {
			if path := strings.Split(strings.TrimSpace(condition), "."); path[0] != "" {
				c.top.follow(path, false)
			}
		}
		if len(d.Tags) > 0 {
			c.top.follow([]string{"tags"}, true)
		}
		name := d.Name
		if d.Alias != "" {
			name = d.Alias
		}
		c.subcharts[name] = true
		c.open = c.open || len(d.ImportValues) > 0
		if !held[d.Name] {
			c.top.follow([]string{name}, true) // its templates are not known
		}
	}
}

// with adds what templates in a release's own values read.
func (c *chartReads) with(values map[string]any) *chartReads {
	added := &chartReads{chart: c.chart, open: c.open, top: c.top.clone(), subcharts: c.subcharts}
	added.values(values, 0)
	return added
}

// values follows templates that stand in values.
func (c *chartReads) values(v any, depth int) {
	if depth > maxDepth {
		c.open = true
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			c.values(item, depth+1)
		}
	case []any:
		for _, item := range v {
			c.values(item, depth+1)
		}
	case string:
		c.text(v)
	}
}

// text follows a text that may be a template.
func (c *chartReads) text(text string) {
	if strings.Contains(text, "{{") {
		c.template(text, false)
	}
}

// follow notes that a path is read; whole says with all that is below.
func (r *read) follow(path []string, whole bool) {
	for _, key := range path {
		if r.below == nil {
			r.below = map[string]*read{}
		}
		if r.below[key] == nil {
			r.below[key] = &read{}
		}
		r = r.below[key]
	}
	r.open = r.open || whole
}

func (r *read) clone() *read {
	copied := &read{open: r.open}
	if r.below != nil {
		copied.below = make(map[string]*read, len(r.below))
	}
	for key, below := range r.below {
		copied.below[key] = below.clone()
	}
	return copied
}

// ways are the paths under which a value may be read: its own, and that which a
// subchart knows it by.
func (c *chartReads) ways(path []string) [][]string {
	ways := [][]string{path}
	for len(path) > 0 && c.subcharts[path[0]] {
		path = path[1:]
		ways = append(ways, path)
	}
	return ways
}

// reads reports whether a value is read, or something below it.
func (c *chartReads) reads(path []string) bool {
	for _, way := range c.ways(path) {
		if len(way) == 0 || c.top.at(way) != nil {
			return true
		}
	}
	return false
}

// isOpen reports whether a value is read as a whole, by itself or with one
// above.
func (c *chartReads) isOpen(path []string) bool {
	for _, way := range c.ways(path) {
		at := c.top
		for _, key := range way {
			if at = at.below[key]; at == nil {
				break
			}
			if at.open {
				return true
			}
		}
	}
	return c.freeDefault(path)
}

func (r *read) at(path []string) *read {
	for _, key := range path {
		if r = r.below[key]; r == nil {
			return nil
		}
	}
	return r
}

// defaultAt returns the chart's own value at a path, a subchart's where the path
// leads into one.
func (c *chartReads) defaultAt(path []string) (value any, known bool) {
	chart := c.chart
	for {
		if value, known = valueAt(chart.Values, path); known {
			return value, true
		}
		if len(path) == 0 {
			return nil, false
		}
		if chart = subchart(chart, path[0]); chart == nil {
			return nil, false
		}
		path = path[1:]
	}
}

// subchart returns the chart whose values stand below a name in those of
// another, or nil.
func subchart(chart *chartv2.Chart, name string) *chartv2.Chart {
	if chart.Metadata != nil {
		for _, d := range chart.Metadata.Dependencies {
			if d.Alias == name {
				name = d.Name
				break
			}
		}
	}
	for _, sub := range chart.Dependencies() {
		if sub.Name() == name {
			return sub
		}
	}
	return nil
}

func valueAt(values map[string]any, path []string) (any, bool) {
	var value any = values
	for _, key := range path {
		m, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = m[key]; !ok {
			return nil, false
		}
	}
	return value, true
}

// isDefault reports whether the chart's own values have a value.
func (c *chartReads) isDefault(path []string) bool {
	_, known := c.defaultAt(path)
	return known
}

// freeDefault reports whether the chart's own values leave open what is below
// something above: an empty map, or nothing at all.
func (c *chartReads) freeDefault(path []string) bool {
	for n := 1; n < len(path); n++ {
		value, known := c.defaultAt(path[:n])
		m, isMap := value.(map[string]any)
		if known && (value == nil || isMap && len(m) == 0) {
			return true
		}
	}
	return false
}

// keysAt are the names of values at a path that the chart knows: those that it
// reads, and those with a default.
func (c *chartReads) keysAt(path []string) []string {
	keys := map[string]bool{}
	for _, way := range c.ways(path) {
		if at := c.top.at(way); at != nil {
			for key := range at.below {
				keys[key] = true
			}
		}
	}
	if value, known := c.defaultAt(path); known {
		if m, ok := value.(map[string]any); ok {
			for key := range m {
				keys[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// each calls f for the path of every value that is read.
func (c *chartReads) each(f func(path []string)) {
	var walk func(path []string, r *read)
	walk = func(path []string, r *read) {
		for _, key := range slices.Sorted(maps.Keys(r.below)) {
			at := append(slices.Clip(path), key)
			f(at)
			walk(at, r.below[key])
		}
	}
	walk(nil, c.top)
}
