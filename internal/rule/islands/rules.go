// Package islands holds the rules that keep the clusters of a repository apart:
// no cluster reads another one's folder, and none names another one's
// addresses.
//
// What several clusters share on purpose, a base outside of all their folders,
// is no bridge between islands, and neither is another cluster's name as a
// plain value. A repository with one cluster has nothing to find here.
package islands

import "hearth/internal/rule"

// Rules are the rules of the topic islands.
var Rules = []*rule.Rule{
	islandBoundary,
	islandNetwork,
}

const topic = "islands"
