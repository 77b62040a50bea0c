// Package schemas holds the rule that every object is what the API of its kind
// admits.
//
// It judges objects as Flux would apply them, and what real charts make of
// their values, against Kubernetes' own schemas and the custom resource
// definitions that stand in the tree, that charts bring or that Hearth brings
// along. A kind whose definition nobody has is told once and not judged, and so
// is no value that is not known from the tree.
package schemas

import "hearth/internal/rule"

// Rules are the rules of this topic.
var Rules = []*rule.Rule{schemaRule}
