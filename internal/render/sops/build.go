package sops

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// optOut is the annotation of an object that is left as it is, where it is
// disabled.
const optOut = "kustomize.toolkit.fluxcd.io/decrypt"

// Build decrypts what a kustomize build reads and makes, as Flux does. It is
// used by one build at a time.
type Build struct {
	Keys *Keys
	// Missing says why there are no keys; whatever needs one ends with it.
	Missing error
	// Hide is told the values that were decrypted.
	Hide func(values []string)
}

// File decrypts a file that a secret generator takes in, or a patch. Name
// tells its format; env is set for files of variables.
func (b *Build) File(name string, env bool, data []byte) ([]byte, error) {
	format := FormatOf(name)
	if env && format == Binary {
		format = Dotenv
	}
	if !format.Encrypted(data) {
		return data, nil
	}
	return b.decrypt(Content{Data: data, In: format, Out: format})
}

// Object decrypts an object that is encrypted as a whole, or those entries of
// a Secret that are. It is given and returned as JSON.
func (b *Build) Object(data []byte) ([]byte, error) {
	obj := &unstructured.Unstructured{}
	if err := json.Unmarshal(data, &obj.Object); err != nil {
		return nil, fmt.Errorf("read the object: %w", err)
	}
	if Disabled(obj) {
		return data, nil
	}
	if mac, _, _ := unstructured.NestedString(obj.Object, "sops", "mac"); mac != "" {
		return b.decrypt(Content{Data: data, In: JSON, Out: JSON, Passed: true})
	}
	if obj.GetKind() != "Secret" {
		return data, nil
	}
	changed, err := b.entries(obj)
	if err != nil || !changed {
		return data, err
	}
	return json.Marshal(obj.Object)
}

// entries decrypts those entries of a Secret that are encrypted.
func (b *Build) entries(secret *unstructured.Unstructured) (changed bool, err error) {
	entries, _, err := unstructured.NestedStringMap(secret.Object, "data")
	if err != nil {
		return false, nil // the server tells of it
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		content, err := base64.StdEncoding.DecodeString(entries[name])
		if err != nil {
			continue // so here
		}
		format, encrypted := Detect(content)
		if !encrypted {
			continue
		}
		plain, err := b.decrypt(Content{Data: content, In: format, Out: FormatOf(name)})
		if err != nil {
			return false, fmt.Errorf("field '%s': %w", name, err)
		}
		entries[name], changed = base64.StdEncoding.EncodeToString(plain), true
	}
	return changed, unstructured.SetNestedStringMap(secret.Object, entries, "data")
}

func (b *Build) decrypt(content Content) ([]byte, error) {
	if b.Missing != nil {
		return nil, b.Missing
	}
	plain, err := b.Keys.Decrypt(content)
	if err != nil {
		return nil, err
	}
	if b.Hide != nil {
		b.Hide(plain.Values)
	}
	return plain.Data, nil
}

// Disabled reports whether an object says that it is to be left as it is.
func Disabled(obj *unstructured.Unstructured) bool {
	return strings.EqualFold(obj.GetAnnotations()[optOut], "disabled")
}
