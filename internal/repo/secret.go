package repo

import (
	"encoding/base64"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// withPlaceholders makes a Secret of a template acceptable to an API server:
// what stands in data and is not base64 (a reference to a vault, an encrypted
// text) is given as it is in stringData, and SOPS' own block is left out.
// Other objects are returned as they are.
func withPlaceholders(o *unstructured.Unstructured) *unstructured.Unstructured {
	if o.GetKind() != "Secret" || o.GetAPIVersion() != "v1" {
		return o
	}
	delete(o.Object, "sops")
	data := mapping(o.Object["data"])
	plain := mapping(o.Object["stringData"])
	for key, v := range data {
		text, ok := v.(string)
		if _, err := base64.StdEncoding.DecodeString(text); ok && err == nil {
			continue
		}
		if plain == nil {
			plain = map[string]any{}
		}
		if !ok {
			text = ""
		}
		plain[key] = text
		delete(data, key)
	}
	for key, v := range plain {
		if _, ok := v.(string); !ok {
			plain[key] = "" // a number or nothing, which a Secret cannot hold
		}
	}
	if plain != nil {
		o.Object["stringData"] = plain
	}
	return o
}
