package islands

import (
	"strings"

	"hearth/internal/domain"
	"hearth/internal/render/desired"
)

// flux looks at the folders that the cluster's Kustomizations apply, and at
// charts that releases take from the repository itself. What only follows
// from an earlier crossing, and stands in the other folder already, is left out.
func (b *boundary) flux() {
	for _, k := range b.cluster.State.Kustomizations {
		if k.Foreign || b.foreign(k.Object.File()) != nil {
			continue
		}
		if other := b.foreign(k.Path); other != nil {
			at := k.Object.Place("spec", "path")
			if k.Parent == nil {
				at = b.cluster.Entry.Place
			}
			b.crossing(at, k.Spec.Path, "the path of Kustomization "+k.Object.Ref.Name, other)
		}
	}
	for _, r := range b.cluster.State.Releases {
		b.chart(r)
	}
}

func (b *boundary) chart(r *desired.Release) {
	folder, inRepository := strings.CutPrefix(r.ChartURL, "file:")
	if !inRepository || r.Spec.Chart == nil || b.foreign(r.Object.File()) != nil {
		return
	}
	if other := b.foreign(folder); other != nil {
		b.crossing(r.Object.Place("spec", "chart", "spec", "chart"), r.Spec.Chart.Spec.Chart, "the chart", other)
	}
}

// bootstrap looks at what is there before Flux.
func (b *boundary) bootstrap() {
	for _, r := range b.cluster.Bootstrap.Releases {
		for _, file := range r.ValueFiles {
			b.bootstrapPath(r.Place, file, "a file of values")
		}
	}
	for _, k := range b.cluster.Bootstrap.Kustomizations {
		b.bootstrapPath(k.Place, k.Path, "the folder that bootstrap applies")
	}
}

func (b *boundary) bootstrapPath(at domain.Place, name, what string) {
	if b.foreign(at.File) != nil {
		return // it stands where it leads to
	}
	if other := b.foreign(name); other != nil {
		b.crossing(at, "", what, other)
	}
}
