package helm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/render/helm/gotemplate"
)

// Bounds of one rendering.
const (
	RenderTimeout = time.Minute
	maxRendered   = 64 << 20
)

// Request says what to render.
type Request struct {
	Chart  *Chart
	Values Values
	// Name and Namespace are the release's.
	Name, Namespace string
	// Version replaces the chart's own version.
	Version string
	// Upgrade renders what an upgrade would make; the default is an install.
	Upgrade bool
	// Capabilities of the cluster to render for; nil means Helm's own defaults.
	Capabilities *common.Capabilities
	// Lookup answers lookups; nil means that nothing is found.
	Lookup Lookup
	// SkipCRDs leaves out what stands in the chart's crds folder.
	SkipCRDs bool
	// SkipSchema does not hold the values against the chart's schema.
	SkipSchema bool
	// PostRender changes what the templates made.
	PostRender PostRender
	// Presses keep parsed templates between renderings; nil means that they
	// are parsed for this one.
	Presses *Presses
	// Shelf keeps what was rendered; nil means that nothing is kept.
	Shelf *Shelf
}

// Render returns the objects that a release would have: CRDs first, then
// hooks and manifests in the order Helm installs them. It needs no cluster.
func Render(ctx context.Context, req Request) ([]*unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, RenderTimeout)
	defer cancel()
	type outcome struct {
		objects []*unstructured.Unstructured
		err     error
	}
	// What waits for a lookup is left behind.
	done := make(chan outcome, 1)
	go func() {
		objects, err := render(ctx, req)
		done <- outcome{objects, err}
	}()
	select {
	case o := <-done:
		return o.objects, req.Values.Secrets.HideError(o.err)
	case <-ctx.Done():
		return nil, fmt.Errorf("rendering the chart %s for release %s/%s: %w", req.Chart.Name(), req.Namespace, req.Name, ctx.Err())
	}
}

func render(ctx context.Context, req Request) ([]*unstructured.Unstructured, error) {
	shelved := req.shelved()
	loaded := req.Chart.Copy(req.Version)
	values := req.Values.Map
	if values == nil {
		values = map[string]any{}
	}
	// Which files the chart renders and which CRDs it has depends on values.
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, fmt.Errorf("processing the dependencies of chart %s: %w", loaded.Name(), err)
	}
	capabilities := cmp.Or(req.Capabilities, common.DefaultCapabilities)
	if needs := loaded.Metadata.KubeVersion; needs != "" && !chartutil.IsCompatibleRange(needs, capabilities.KubeVersion.String()) {
		return nil, fmt.Errorf("chart %s requires Kubernetes %s, not %s", loaded.Name(), needs, capabilities.KubeVersion.Version)
	}
	files, ok := req.Shelf.get(shelved)
	if !ok {
		options := common.ReleaseOptions{Name: req.Name, Namespace: req.Namespace, Revision: 1, IsInstall: !req.Upgrade, IsUpgrade: req.Upgrade}
		made, err := req.templates(ctx, loaded, func(skipSchema bool) (common.Values, error) {
			return util.ToRenderValuesWithSchemaValidation(loaded, values, options, capabilities, skipSchema)
		})
		if err != nil {
			return nil, err
		}
		if files = made.files; !made.varies {
			req.Shelf.put(shelved, files)
		}
	}
	var objects []*unstructured.Unstructured
	if !req.SkipCRDs {
		var err error
		for _, crd := range loaded.CRDObjects() {
			if objects, err = decode(objects, crd.Filename, string(crd.File.Data)); err != nil {
				return nil, err
			}
		}
	}
	return manifests(objects, files, req.PostRender)
}

// templates renders a chart's files: with a press where one is certain of it,
// and with Helm's engine otherwise, and where that fails. Templates may change the
// values they are given, so that each gets its own.
func (r Request) templates(ctx context.Context, c *chart.Chart, valuesOf func(skipSchema bool) (common.Values, error)) (pressed, error) {
	values, err := valuesOf(r.SkipSchema)
	if err != nil {
		return pressed{}, err
	}
	presses := r.Presses
	if presses == nil {
		presses = &Presses{}
	}
	made, err := presses.render(ctx, r.Chart, c, values, r.Lookup)
	if err == nil {
		return made, nil
	}
	if errors.Is(err, gotemplate.ErrRefused) || ctx.Err() != nil {
		return pressed{}, fmt.Errorf("chart %s: %w", c.Name(), err)
	}
	r.leaveToHelm(ctx, err)
	if values, err = valuesOf(true); err != nil {
		return pressed{}, err
	}
	swap(c, leashedFile)
	functions := onLeash(ctx, Functions(r.Lookup), func(error) {})
	files, err := engine.Engine{CustomTemplateFuncs: functions}.RenderWithContext(ctx, c, values)
	return pressed{files, true}, err
}
