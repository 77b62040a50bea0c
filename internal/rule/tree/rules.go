// Package tree holds the rules that the others stand on: that the tree can be
// read and built at all, and that comments which silence rules are true.
package tree

import "hearth/internal/rule"

// Rules are those of this topic.
var Rules = []*rule.Rule{YAML, Build, rule.Ignore}
