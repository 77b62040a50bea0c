// Package charts holds the rules on releases and their charts: which chart an
// application uses and where it comes from, what its values may be, how the
// release is named, when it is looked at again and what happens when it fails.
//
// Releases are judged as Flux would see them, with what patches of their
// Kustomization and of its parents set. Values that a Secret supplies are not
// known from the tree, and are never the reason of a finding; a chart that is
// not at hand is told once.
package charts

import "hearth/internal/rule"

// Rules are the rules of the topic charts.
var Rules = []*rule.Rule{
	chartDefault,
	chartReference,
	valuesSchema,
	valuesUnused,
	releaseName,
	releaseRemediation,
	intervalFormat,
}

const topic = "charts"
