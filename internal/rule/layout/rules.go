// Package layout holds the rules on how a repository is laid out: that what it
// names exists, that what it holds is applied, once and by one Kustomization,
// that applications look alike, and that no prune reaches data.
//
// What decides is the repository's own majority and what Flux would build; no
// name of a file or folder is right by itself. A folder that cannot be built is
// taken to reach whatever its files name.
package layout

import "hearth/internal/rule"

// Rules are the rules of the topic layout.
var Rules = []*rule.Rule{
	appLayout,
	manifestOrphan,
	pathMissing,
	resourceMissing,
	objectDuplicate,
	pruneData,
}

const topic = "layout"
