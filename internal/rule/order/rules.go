// Package order holds the rules on what comes before what: dependencies that
// are missing, lead nowhere or go in circles, the order of the bootstrap, and
// variables that have to be defined before anything is built.
//
// An error is what Flux would stop at. What it tries again until it works is
// information only, and what a chart that is not at hand may bring is never an
// error.
package order

import "hearth/internal/rule"

// Rules are the rules of the topic order.
var Rules = []*rule.Rule{
	dependsOnMissing,
	dependsOnUnknown,
	dependsOnCycle,
	bootstrapOrder,
	substitutionUndefined,
}

const topic = "order"

const (
	kustomizeGroup = "kustomize.toolkit.fluxcd.io"
	helmGroup      = "helm.toolkit.fluxcd.io"
)
