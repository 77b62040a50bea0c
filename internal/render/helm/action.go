package helm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"text/template"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"

	"hearth/internal/render/helm/gotemplate"
)

// Pressing has a press render a chart within one of Helm's actions. Helm's
// engine renders what an action installs, and offers no door for another; but it
// calls functions. So the action gets the chart with templates that do nothing
// but call one, each with what Helm would show it, and which has the press
// execute the real template. All else stays Helm's: dependencies, schema, what
// is a hook, what NOTES are, the order of things, the record.
//
// It is for one action, and not for concurrent use.
type Pressing struct {
	// Chart is what the action gets.
	Chart *chart.Chart

	ctx     context.Context
	shared  *Chart
	version string
	presses *Presses
	lookup  Lookup
	// real are the files that stand-ins stand for.
	real map[*common.File]*common.File
	run  *gotemplate.Run
	size int
	err  error
}

// pressFunction is what the templates that stand in call.
const pressFunction = "hearthPress"

// Press prepares a copy of the chart for one of Helm's actions, under another
// version where one is given. Once ctx ends, so does the rendering.
func (c *Chart) Press(ctx context.Context, version string, presses *Presses, lookup Lookup) *Pressing {
	p := &Pressing{Chart: c.Copy(version), ctx: ctx, shared: c, version: version, presses: presses, lookup: lookup}
	p.real = swap(p.Chart, func(file *common.File) []byte {
		if !(chartTemplate{name: file.Name}).renders() {
			return nil
		}
		return []byte("{{ " + pressFunction + " . }}")
	})
	return p
}

// Leave makes another copy of the chart, which Helm's engine renders itself, as
// long as there is time.
func (p *Pressing) Leave() {
	p.Chart, p.run, p.err = p.shared.Copy(p.version), nil, nil
	p.real = swap(p.Chart, leashedFile)
}

// Functions are the template functions that the action needs.
func (p *Pressing) Functions() template.FuncMap {
	functions := maps.Clone(Functions(p.lookup))
	maps.Copy(functions, onLeash(p.ctx, functions, func(err error) { p.err = err }))
	functions[pressFunction] = p.file
	return functions
}

// Restore puts the real templates back: what is stored of a release holds them.
func (p *Pressing) Restore() {
	eachChart(p.Chart, func(of *chart.Chart) {
		for i, file := range of.Templates {
			if real := p.real[file]; real != nil {
				of.Templates[i] = real
			}
		}
	})
}

// Unsure returns why Helm's engine has to render the chart itself; nil where an
// action that failed did so for another reason.
func (p *Pressing) Unsure() error {
	if p.Refused() != nil {
		return nil
	}
	return p.err
}

// Refused returns why nobody should render the chart, if that is so: it exceeds
// the bounds of a rendering, or its time is up.
func (p *Pressing) Refused() error {
	if p.err == nil || !errors.Is(p.err, gotemplate.ErrRefused) && p.ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("chart %s: %w", p.shared.Name(), p.err)
}

// file renders the template that a stand-in stands for. scope is what Helm shows it.
func (p *Pressing) file(scope any) (string, error) {
	if p.err != nil {
		return "", p.err
	}
	var text string
	text, p.err = p.execute(scope)
	return text, p.err
}

func (p *Pressing) execute(scope any) (string, error) {
	shown, ok := scope.(common.Values)
	if !ok {
		return "", errNoPress
	}
	name, err := shown.PathValue("Template.Name")
	if err != nil {
		return "", errNoPress
	}
	if p.run == nil {
		if err := p.start(); err != nil {
			return "", err
		}
	}
	text, err := p.run.Execute(fmt.Sprint(name), map[string]any(shown))
	if err != nil {
		return "", err
	}
	if p.size += len(text); p.size > maxRendered {
		return "", fmt.Errorf("%w: it renders more than %d MiB", gotemplate.ErrRefused, maxRendered>>20)
	}
	return text, nil
}

// start finds the press of what the action made of the chart: it has processed
// the dependencies.
func (p *Pressing) start() error {
	templates := templatesOf(p.Chart)
	for i, t := range templates {
		real := p.real[t.file]
		if real == nil {
			return errNoPress
		}
		templates[i].file = real
	}
	one, err := p.presses.of(p.shared, p.Chart, templates)
	if err != nil {
		return err
	}
	p.run = one.set.Start(p.ctx, p.lookup)
	return nil
}
