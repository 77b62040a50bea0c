package helmrelease

import (
	"hearth/internal/render/helm/postrender"
	"hearth/internal/source"
)

// postRenderer changes what a chart rendered as the spec says, and marks each
// object with the HelmRelease it belongs to.
func (s *step) postRenderer() *postrender.Renderer {
	return postrender.New(s.hr, s.chart.Annotation(source.StandInAnnotation) != "")
}
