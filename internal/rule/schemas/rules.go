// Package schemas holds the rule that every object is what the API of its kind
// admits.
//
// It judges objects as Flux would apply them, and what real charts make of
// their values, against Kubernetes' own schemas and the custom resource
// definitions that stand in the tree, that charts bring or that Hearth brings
// along. Where it carries that of an operator, the cluster may have another
// release of it: such a finding is a warning and names the release, and what a
// later one may know is told once and not judged. Neither is a kind whose
// definition nobody has, nor a value that is not known from the tree.
package schemas

import "hearth/internal/rule"

// Rules are the rules of this topic.
var Rules = []*rule.Rule{schemaRule}
