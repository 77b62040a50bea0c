package helm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"
	"sync"

	chartapi "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"

	"hearth/internal/render/helm/gotemplate"
)

// Presses keep charts' parsed templates between renderings: Helm parses all of
// a chart anew for each release. The zero value is ready to use; its methods
// may be called concurrently.
//
// What they render is what Helm's engine renders. A release that they are not
// certain of, because of a function few charts use or because it fails, is left
// to that engine.
type Presses struct {
	mu     sync.Mutex
	ready  map[pressKey]*press
	closed bool
}

// pressKey names what was parsed: values may switch subcharts off.
type pressKey struct {
	chart     *Chart
	templates string
}

// keptPresses is how many are kept.
const keptPresses = 256

// Close forgets all presses. What is asked for later is rendered without them.
func (p *Presses) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.ready = true, nil
}

// press is a chart whose templates are parsed.
type press struct {
	once sync.Once
	set  *gotemplate.Set
	// base is what Helm gives the chart's templates, for the files in it.
	base map[string]any
	err  error
}

var errNoPress = errors.New("no press renders this")

// pressed is what a press has rendered.
type pressed struct {
	files map[string]string
	// varies says that it may be another the next time.
	varies bool
}

// render renders a chart whose dependencies are processed. The error wraps
// gotemplate.ErrRefused where nobody should, and the context's where time is
// up; any other means that Helm has to do it, and say what is wrong if it fails.
func (p *Presses) render(ctx context.Context, shared *Chart, processed *chart.Chart, values common.Values, lookup Lookup) (pressed, error) {
	templates := templatesOf(processed)
	one, err := p.of(shared, processed, templates)
	if err != nil {
		return pressed{}, err
	}
	return one.render(ctx, processed, templates, values, lookup)
}

// of returns the press of some of a chart's templates, parsed.
func (p *Presses) of(shared *Chart, processed *chart.Chart, templates []chartTemplate) (*press, error) {
	one := p.find(pressKey{shared, namesOf(templates)})
	if one == nil {
		return nil, errNoPress
	}
	one.once.Do(func() { one.err = one.parse(processed, templates) })
	return one, one.err
}

func (p *Presses) find(key pressKey) *press {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	one := p.ready[key]
	if one == nil {
		if p.ready == nil || len(p.ready) >= keptPresses {
			p.ready = map[pressKey]*press{}
		}
		one = &press{}
		p.ready[key] = one
	}
	return one
}

// chartTemplate is one template of a chart or a subchart.
type chartTemplate struct {
	name  string
	file  *common.File
	chart *chart.Chart
}

// renders tells whether the template makes a file.
func (t chartTemplate) renders() bool { return !strings.HasPrefix(path.Base(t.name), "_") }

// templatesOf lists templates in Helm's order: the deepest first, and then the
// last by name.
func templatesOf(c *chart.Chart) []chartTemplate {
	var list []chartTemplate
	var visit func(c *chart.Chart)
	visit = func(c *chart.Chart) {
		for _, sub := range c.Dependencies() {
			visit(sub)
		}
		full := c.ChartFullPath()
		for _, t := range c.Templates {
			if t == nil || c.Metadata.Type == "library" && !strings.HasPrefix(path.Base(t.Name), "_") {
				continue
			}
			list = append(list, chartTemplate{path.Join(full, t.Name), t, c})
		}
	}
	visit(c)
	slices.SortStableFunc(list, func(a, b chartTemplate) int {
		return cmp.Or(strings.Count(b.name, "/")-strings.Count(a.name, "/"), strings.Compare(b.name, a.name))
	})
	return list
}

func namesOf(list []chartTemplate) string {
	var names strings.Builder
	for _, t := range list {
		names.WriteString(t.name)
		names.WriteByte('\n')
	}
	return names.String()
}

func (one *press) parse(processed *chart.Chart, templates []chartTemplate) error {
	one.set = gotemplate.NewSet(library(), varying)
	for i, t := range templates {
		if i > 0 && templates[i-1].name == t.name {
			return fmt.Errorf("%w: two templates have the name %s", gotemplate.ErrUnsure, t.name)
		}
		if err := one.set.Parse(t.name, string(t.file.Data)); err != nil {
			return err
		}
	}
	one.base = baseOf(processed)
	if one.base == nil {
		return errNoPress
	}
	return nil
}

// baseOf has Helm show what it gives a chart's templates.
func baseOf(processed *chart.Chart) (base map[string]any) {
	bare := copyChart(processed)
	var strip func(c *chart.Chart)
	strip = func(c *chart.Chart) {
		c.Templates = nil
		for _, sub := range c.Dependencies() {
			strip(sub)
		}
	}
	strip(bare)
	bare.Templates = []*common.File{{Name: "templates/base", Data: []byte("{{ hearthShow $ }}")}}
	show := func(shown map[string]any) string {
		base = shown
		return ""
	}
	_, _ = engine.Engine{CustomTemplateFuncs: map[string]any{"hearthShow": show}}.RenderWithContext(context.Background(), bare, common.Values{})
	return base
}

func (one *press) render(ctx context.Context, processed *chart.Chart, templates []chartTemplate, values common.Values, lookup Lookup) (pressed, error) {
	scopes := map[*chart.Chart]map[string]any{}
	if _, err := scopeOf(scopes, processed, one.base, values); err != nil {
		return pressed{}, err
	}
	run := one.set.Start(ctx, lookup)
	files, size := make(map[string]string), 0
	for _, t := range templates {
		if !t.renders() {
			continue
		}
		scope := scopes[t.chart]
		scope["Template"] = common.Values{"Name": t.name, "BasePath": path.Join(t.chart.ChartFullPath(), "templates")}
		text, err := run.Execute(t.name, scope)
		if err != nil {
			return pressed{}, err
		}
		if size += len(text); size > maxRendered {
			return pressed{}, fmt.Errorf("%w: it renders more than %d MiB", gotemplate.ErrRefused, maxRendered>>20)
		}
		files[t.name] = text
	}
	return pressed{files, run.Varies}, nil
}

// scopeOf is what the templates of a chart see, made as Helm makes it: base has
// what is the same for all releases, values what is the release's own.
func scopeOf(scopes map[*chart.Chart]map[string]any, c *chart.Chart, base map[string]any, values common.Values) (map[string]any, error) {
	accessor, err := chartapi.NewAccessor(c)
	if err != nil {
		return nil, err
	}
	metadata := accessor.MetadataAsMap()
	metadata["IsRoot"] = accessor.IsRoot()
	subcharts := map[string]any{}
	scope := map[string]any{
		"Chart": metadata, "Files": base["Files"], "Release": values["Release"], "Capabilities": values["Capabilities"],
		"Values": common.Values{}, "Subcharts": subcharts,
	}
	if accessor.IsRoot() {
		scope["Values"] = values["Values"]
	} else if own, err := values.Table("Values." + accessor.Name()); err == nil {
		scope["Values"] = own
	}
	below, _ := base["Subcharts"].(map[string]any)
	for _, sub := range c.Dependencies() {
		subBase, _ := below[sub.Name()].(map[string]any)
		if subcharts[sub.Name()], err = scopeOf(scopes, sub, subBase, scope); err != nil {
			return nil, err
		}
	}
	scopes[c] = scope
	return scope, nil
}

// leaveToHelm says in the log that, and why, Helm's engine renders a release.
func (r Request) leaveToHelm(ctx context.Context, why error) {
	slog.DebugContext(ctx, "Helm's engine renders this release", "release", r.Namespace+"/"+r.Name, "chart", r.Chart.Name(), "why", r.Values.Secrets.Hide(why.Error()))
}
