// Package rules lists every rule there is.
package rules

import (
	"cmp"
	"slices"
	"strings"

	"hearth/internal/rule"
	"hearth/internal/rule/charts"
	"hearth/internal/rule/images"
	"hearth/internal/rule/islands"
	"hearth/internal/rule/layout"
	"hearth/internal/rule/order"
	"hearth/internal/rule/routing"
	"hearth/internal/rule/schemas"
	"hearth/internal/rule/secrets"
	"hearth/internal/rule/storage"
	"hearth/internal/rule/templates"
	"hearth/internal/rule/tree"
)

//go:generate go test . -run TestReference -update

// All returns the rules, ordered by topic and name. The caller owns the list.
func All() []*rule.Rule {
	all := slices.Concat(
		charts.Rules,
		images.Rules,
		islands.Rules,
		layout.Rules,
		order.Rules,
		routing.Rules,
		schemas.Rules,
		secrets.Rules,
		storage.Rules,
		templates.Rules,
		tree.Rules,
	)
	slices.SortFunc(all, func(a, b *rule.Rule) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), strings.Compare(a.Name, b.Name))
	})
	return all
}
