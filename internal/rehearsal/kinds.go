package rehearsal

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/domain"
)

// maxChartFile bounds the files of charts that are searched for CRDs.
const maxChartFile = 8 << 20

// kinds knows which custom kinds the charts at hand bring, and which were
// asked for and nobody has brought yet.
type kinds struct {
	// brought is true for those of the charts at hand: they come in time.
	brought map[schema.GroupKind]bool
	// open lists unknown kinds that may still come, with their first use.
	open map[schema.GroupVersionKind]domain.Place
}

// mayAssume reports whether a kind that the cluster does not know may be made
// up at once. One that a chart at hand brings comes by itself; and where
// charts come over the network any of them may bring it, so that nothing is
// made up before everything else has come to rest.
func (s *Stage) mayAssume(gvk schema.GroupVersionKind, place domain.Place) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options.Offline && !s.kinds.brought[gvk.GroupKind()] {
		return true
	}
	if s.kinds.open == nil {
		s.kinds.open = map[schema.GroupVersionKind]domain.Place{}
	}
	if _, known := s.kinds.open[gvk]; !known {
		s.kinds.open[gvk] = place
	}
	return false
}

// assumeOpenKinds makes up the kinds that were asked for and that nobody has
// brought by now.
func (s *Stage) assumeOpenKinds(ctx context.Context) error {
	s.mu.Lock()
	open := s.kinds.open
	s.kinds.open = nil
	s.mu.Unlock()
	var errs []error
	for gvk, place := range open {
		if _, err := s.engine.client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version); err == nil {
			continue
		}
		errs = append(errs, s.assumeKind(ctx, gvk, place))
	}
	return errors.Join(errs...)
}

// kindsOfCharts lists the custom kinds that mapped chart folders define.
func (s *Stage) kindsOfCharts() map[schema.GroupKind]bool {
	brought := map[schema.GroupKind]bool{}
	for _, target := range s.chartMapping() {
		if isEmbedded(target) {
			continue // none of them defines a kind
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(s.repository.Root, target)
		}
		// A folder that cannot be read is the chart's own failure, told when
		// it is fetched.
		_ = filepath.WalkDir(target, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			if info, err := d.Info(); err != nil || info.Size() > maxChartFile {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, kind := range definedKinds(string(data)) {
				brought[kind] = true
			}
			return nil
		})
	}
	return brought
}

var (
	documentEnd  = regexp.MustCompile(`(?m)^---`)
	isDefinition = regexp.MustCompile(`(?m)^kind:\s*CustomResourceDefinition\s*$`)
	groupLine    = regexp.MustCompile(`(?m)^  group:\s*"?([a-z0-9.-]+)"?\s*$`)
	kindLine     = regexp.MustCompile(`(?m)^    kind:\s*"?([A-Za-z0-9]+)"?\s*$`)
)

// definedKinds finds the kinds that CRDs in a manifest or template define.
// Templates cannot be parsed as YAML, so that it goes by their layout.
func definedKinds(text string) []schema.GroupKind {
	if !strings.Contains(text, "CustomResourceDefinition") {
		return nil
	}
	var found []schema.GroupKind
	for _, doc := range documentEnd.Split(text, -1) {
		group, kind := groupLine.FindStringSubmatch(doc), kindLine.FindStringSubmatch(doc)
		if isDefinition.MatchString(doc) && group != nil && kind != nil {
			found = append(found, schema.GroupKind{Group: group[1], Kind: kind[1]})
		}
	}
	return found
}
