package rehearsal

import (
	"context"
	"fmt"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// handEdits returns what somebody may do to the objects of Kustomizations
// with kubectl: what a release brought is left alone, since Helm does not look
// after what it has installed.
func (s *Stage) handEdits(ctx context.Context) ([]string, error) {
	extracted, err := s.extracted(ctx)
	var edits []string
	for item, es := range extracted {
		edits = append(edits, fmt.Sprintf("%s/%s/%s:spec.dataFrom[0].extract.key=%s-by-hand", es.Kind, es.Namespace, es.Name, item))
	}
	return edits, err
}

// mistakes returns mistakes that people make in a tree: a chart that is
// misspelt, an item that is misspelt, a folder that is not there. A stage that
// does not work on a copy has none.
func (s *Stage) mistakes(context.Context) ([]string, error) {
	if s.spoilt == nil {
		return nil, nil
	}
	var list []string
	for _, o := range s.watcher.Snapshot() {
		place := s.placeOf(o.Ref)
		if !place.Known() {
			continue
		}
		if mistake := s.mistakeIn(o, place); mistake != "" {
			list = append(list, mistake)
		}
	}
	return list, nil
}

// mistakeIn returns a mistake in what stands at a place, if its file has the
// field: what a component or a template brings is left alone.
func (s *Stage) mistakeIn(o observe.Object, place domain.Place) string {
	field := map[string]string{
		"HelmRelease":    "spec.chartRef.name",
		"ExternalSecret": "spec.dataFrom[0].extract.key",
		"Kustomization":  "spec.path",
	}[o.Kind]
	if field == "" {
		return ""
	}
	path := strings.Split(strings.ReplaceAll(field, "[0]", ".0"), ".")
	for _, doc := range s.documents(place.File) {
		if doc.Kind() != o.Kind || doc.Line != place.Line {
			continue
		}
		if doc.Text(path...) != "" {
			return fmt.Sprintf("%s:%s=%s-misspelt", place.File, field, doc.Text(path...))
		}
	}
	return ""
}
