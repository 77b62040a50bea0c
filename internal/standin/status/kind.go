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
	if r == nil && takesConditions(version) {
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

// takesConditions reports whether a version's definition admits the usual
// conditions in a status subresource.
func takesConditions(v *apiextensionsv1.CustomResourceDefinitionVersion) bool {
	if v.Subresources == nil || v.Subresources.Status == nil || v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		return false
	}
	if operator.Permissive(v) {
		return true
	}
	status, ok := v.Schema.OpenAPIV3Schema.Properties["status"]
	if !ok {
		return false
	}
	conditions, ok := status.Properties["conditions"]
	if !ok {
		return open(&status)
	}
	if conditions.Type != "array" || conditions.Items == nil || conditions.Items.Schema == nil {
		return false
	}
	return plainCondition(conditions.Items.Schema)
}

// plainCondition reports whether a schema admits what a condition has.
func plainCondition(item *apiextensionsv1.JSONSchemaProps) bool {
	if open(item) && item.Properties == nil {
		return true
	}
	for _, field := range item.Required {
		switch field {
		case "type", "status", "reason", "message", "lastTransitionTime", "observedGeneration":
		default:
			return false
		}
	}
	return item.Properties["type"].Type == "string" && item.Properties["status"].Type == "string"
}

func open(s *apiextensionsv1.JSONSchemaProps) bool {
	return s.XPreserveUnknownFields != nil && *s.XPreserveUnknownFields
}
