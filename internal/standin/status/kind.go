package status

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/standin/operator"
)

// plays returns how a kind is played: by its row, or by the default for kinds
// whose definition has room for conditions. Nil is not at all.
func (p *player) plays(crd *apiextensionsv1.CustomResourceDefinition, version *apiextensionsv1.CustomResourceDefinitionVersion) *operator.Role {
	r := p.table.find(schema.GroupKind{Group: crd.Spec.Group, Kind: crd.Spec.Names.Kind})
	if r == nil && operator.TakesConditions(version) {
		r = defaultRule(crd.Spec.Group, crd.Spec.Names.Kind)
	}
	if r == nil || r.Leave {
		return nil
	}
	role := &operator.Role{Operator: r.Operator, Pods: r.pods, Images: r.Images, Own: r}
	if role.Operator == "" {
		role.Operator = r.Group
	}
	return role
}

func defaultRule(group, kind string) *rule {
	return &rule{Row: Row{
		Group: group, Kind: kind, Operator: kind + "." + group,
		Conditions: []operator.Condition{{Type: "Ready", Reason: "Assumed", Message: "no stand-in knows this kind: it is ready by convention"}},
	}}
}
