package inputprovider

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

// maxResults bounds how many sets of inputs a provider exports.
const maxResults = 10_000

// filter says which of what a provider finds counts.
type filter struct {
	include, exclude *regexp.Regexp
	labels           []string
	versions         *semver.Constraints
	limit            int
}

func newFilter(spec *fluxcdv1.InputFilter) (*filter, error) {
	f := &filter{limit: fluxcdv1.DefaultInputLimit}
	if spec == nil {
		return f, nil
	}
	if spec.Limit > 0 {
		f.limit = min(spec.Limit, maxResults)
	}
	f.labels = spec.Labels
	for _, expression := range []struct {
		name, text string
		into       **regexp.Regexp
	}{
		{"includeBranch", spec.IncludeBranch, &f.include}, {"includeTag", spec.IncludeTag, &f.include},
		{"includeEnvironment", spec.IncludeEnvironment, &f.include}, {"excludeBranch", spec.ExcludeBranch, &f.exclude},
		{"excludeTag", spec.ExcludeTag, &f.exclude}, {"excludeEnvironment", spec.ExcludeEnvironment, &f.exclude},
	} {
		if expression.text == "" {
			continue
		}
		compiled, err := regexp.Compile(expression.text)
		if err != nil {
			return nil, fmt.Errorf("invalid %s regex: %w", expression.name, err)
		}
		*expression.into = compiled
	}
	if spec.Semver != "" {
		var err error
		if f.versions, err = semver.NewConstraint(spec.Semver); err != nil {
			return nil, fmt.Errorf("invalid semver expression: %w", err)
		}
	}
	return f, nil
}

// admits reports whether a name counts.
func (f *filter) admits(name string) bool {
	return (f.include == nil || f.include.MatchString(name)) && (f.exclude == nil || !f.exclude.MatchString(name))
}

// labelled reports whether all labels are there that are asked for.
func (f *filter) labelled(labels []string) bool {
	return !slices.ContainsFunc(f.labels, func(label string) bool { return !slices.Contains(labels, label) })
}

// newest returns the tags that count: the highest versions first where there is
// a range of versions, else in reverse alphabetical order.
func newest[T any](f *filter, all []T, name func(T) string) []T {
	type tag struct {
		item    T
		version *semver.Version
	}
	var tags []tag
	for _, item := range all {
		if !f.admits(name(item)) {
			continue
		}
		t := tag{item: item}
		if f.versions != nil {
			version, err := semver.StrictNewVersion(strings.TrimPrefix(name(item), "v"))
			if err != nil || !f.versions.Check(version) {
				continue
			}
			t.version = version
		}
		tags = append(tags, t)
	}
	slices.SortStableFunc(tags, func(a, b tag) int {
		if f.versions != nil {
			return b.version.Compare(a.version)
		}
		return cmp.Compare(name(b.item), name(a.item))
	})
	var found []T
	for _, t := range tags[:min(len(tags), f.limit)] {
		found = append(found, t.item)
	}
	return found
}
