package operator

import apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

// TakesConditions reports whether a version's definition admits the usual
// conditions in a status subresource.
func TakesConditions(v *apiextensionsv1.CustomResourceDefinitionVersion) bool {
	if v.Subresources == nil || v.Subresources.Status == nil || v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
		return false
	}
	if Permissive(v) {
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
