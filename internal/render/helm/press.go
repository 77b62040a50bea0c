package helm

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"text/template"

	chartapi "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"
)

// Presses keep charts' parsed templates between renderings, since Helm parses
// all of a chart anew for each release, and that takes longer than rendering.
// The zero value is ready to use; its methods may be called concurrently. Close
// must be called.
//
// A press is Helm's own engine at work on a chart to which one template was
// added: one that renders the others again and again, for whoever asks, and
// never ends by itself.
type Presses struct {
	mu     sync.Mutex
	idle   map[pressKey][]*press
	closed bool
}

// pressKey names what was parsed: values may switch subcharts off.
type pressKey struct {
	chart     *Chart
	templates string
}

// Close ends all presses. What is asked for later is rendered without them.
func (p *Presses) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, list := range p.idle {
		for _, one := range list {
			close(one.jobs)
		}
	}
	p.idle = nil
}

// press renders templates of one chart, one at a time.
type press struct {
	jobs chan pressJob
	// base is what Helm gives the chart's templates; it comes with the first job.
	base chan map[string]any
	// ended is closed when the engine gave up.
	ended chan struct{}
	root  map[string]any
}

// pressJob asks for one template. Its fields are read by the driver.
type pressJob struct {
	Name    string
	Context map[string]any
	answer  chan<- string
}

// The driver stands so deep that Helm renders it before anything else.
const (
	driverName = "templates/hearth/press/driver/of/all/the/others/loop.txt"
	driver     = `{{ range $job := hearthPressJobs $ }}{{ hearthPressAnswer $job (include $job.Name $job.Context) }}{{ end }}{{ fail "closed" }}`
)

var errNoPress = errors.New("no press renders this")

// render renders a chart whose dependencies are processed. The error is
// errNoPress where Helm has to do it alone, and say what is wrong if it fails.
func (p *Presses) render(ctx context.Context, shared *Chart, processed *chart.Chart, values common.Values) (map[string]string, error) {
	names, all := templateNames(processed)
	if p == nil || len(names) == 0 {
		return nil, errNoPress
	}
	key := pressKey{shared, strings.Join(all, "\n")}
	one := p.take(key, processed, values)
	if one == nil {
		return nil, errNoPress
	}
	rendered, err := one.render(ctx, processed, values, names)
	if err != nil {
		one.abandon()
		return nil, err
	}
	p.put(key, one)
	return rendered, nil
}

func (p *Presses) take(key pressKey, processed *chart.Chart, values common.Values) *press {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	if list := p.idle[key]; len(list) > 0 {
		p.idle[key] = list[:len(list)-1]
		return list[len(list)-1]
	}
	return startPress(processed, values)
}

func (p *Presses) put(key pressKey, one *press) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		close(one.jobs)
		return
	}
	if p.idle == nil {
		p.idle = map[pressKey][]*press{}
	}
	p.idle[key] = append(p.idle[key], one)
}

func startPress(processed *chart.Chart, values common.Values) *press {
	one := &press{jobs: make(chan pressJob), base: make(chan map[string]any, 1), ended: make(chan struct{})}
	functions := Functions(nil)
	maps.Copy(functions, template.FuncMap{
		"hearthPressJobs": func(base map[string]any) <-chan pressJob {
			one.base <- base
			return one.jobs
		},
		"hearthPressAnswer": func(job pressJob, text string) string {
			job.answer <- text
			return ""
		},
	})
	driven := copyChart(processed)
	driven.Templates = append(slices.Clone(driven.Templates), &common.File{Name: driverName, Data: []byte(driver)})
	go func() {
		defer close(one.ended)
		// It ends when it is closed, or when a template fails: Helm then
		// renders that release once more, and says why.
		_, _ = engine.Engine{CustomTemplateFuncs: functions}.RenderWithContext(context.Background(), driven, values)
	}()
	return one
}

// abandon lets a press end once it is through with what it does.
func (one *press) abandon() { close(one.jobs) }

func (one *press) render(ctx context.Context, processed *chart.Chart, values common.Values, names []string) (map[string]string, error) {
	if one.root == nil {
		select {
		case one.root = <-one.base:
		case <-one.ended:
			return nil, errNoPress
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	scope, err := scopeOf(processed, one.root, values)
	if err != nil {
		return nil, err
	}
	rendered := make(map[string]string, len(names))
	for _, name := range names {
		scope["Template"] = common.Values{"Name": name, "BasePath": path.Join(processed.ChartFullPath(), "templates")}
		answer := make(chan string, 1)
		select {
		case one.jobs <- pressJob{Name: name, Context: scope, answer: answer}:
		case <-one.ended:
			return nil, errNoPress
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		select {
		case text := <-answer:
			// As Helm does: text/template prints this for what is missing.
			rendered[name] = strings.ReplaceAll(text, "<no value>", "")
		case <-one.ended:
			return nil, errNoPress
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return rendered, nil
}

// scopeOf is what the templates of a chart see, made as Helm makes it: base has
// what is the same for all releases, values what is the release's own.
func scopeOf(c *chart.Chart, base map[string]any, values common.Values) (map[string]any, error) {
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
		if subcharts[sub.Name()], err = scopeOf(sub, subBase, scope); err != nil {
			return nil, err
		}
	}
	return scope, nil
}

// templateNames lists the templates that render to something, in Helm's order:
// the deepest first, and then the last by name; and all templates. There are
// none where a subchart has some that render, since those see other values.
func templateNames(c *chart.Chart) (rendering, all []string) {
	var visit func(c *chart.Chart) bool
	visit = func(c *chart.Chart) bool {
		for _, t := range c.Templates {
			name := path.Join(c.ChartFullPath(), t.Name)
			all = append(all, name)
			if strings.HasPrefix(path.Base(t.Name), "_") || c.Metadata.Type == "library" {
				continue
			}
			if !c.IsRoot() {
				return false
			}
			rendering = append(rendering, name)
		}
		return !slices.ContainsFunc(c.Dependencies(), func(sub *chart.Chart) bool { return !visit(sub) })
	}
	if !visit(c) {
		return nil, nil
	}
	slices.SortFunc(rendering, func(a, b string) int {
		return cmp.Or(strings.Count(b, "/")-strings.Count(a, "/"), strings.Compare(b, a))
	})
	return rendering, all
}
