package resourceset

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/kube/objects"
)

// checksums digests ConfigMaps and Secrets: those that the set makes as they
// will be, all others as they are.
type checksums struct {
	reading  *reading
	made     map[objects.Key]*unstructured.Unstructured
	external map[string]bool
}

// addChecksums writes, beside every annotation that asks for one, the checksum
// of what it names. It returns what was named and is not made by the set.
func addChecksums(ctx context.Context, r *reading, all []*unstructured.Unstructured) ([]string, error) {
	c := &checksums{reading: r, made: map[objects.Key]*unstructured.Unstructured{}, external: map[string]bool{}}
	for _, obj := range all {
		c.made[objects.KeyOf(obj)] = obj
	}
	for _, obj := range all {
		if err := c.walk(ctx, obj.Object); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(c.external)), nil
}

// walk looks at the metadata of an object and of everything inside, such as the
// template of a Deployment's pods.
func (c *checksums) walk(ctx context.Context, node any) error {
	switch n := node.(type) {
	case []any:
		for _, item := range n {
			if err := c.walk(ctx, item); err != nil {
				return err
			}
		}
	case map[string]any:
		if metadata, ok := n["metadata"].(map[string]any); ok {
			annotations, _ := metadata["annotations"].(map[string]any)
			if refs, _ := annotations[fluxcdv1.ChecksumFromAnnotation].(string); refs != "" {
				sum, err := c.sum(ctx, refs)
				if err != nil {
					return err
				}
				annotations[fluxcdv1.ChecksumAnnotation] = sum
			}
		}
		for _, key := range slices.Sorted(maps.Keys(n)) {
			if err := c.walk(ctx, n[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// sum digests what a list of Kind/namespace/name names.
func (c *checksums) sum(ctx context.Context, refs string) (string, error) {
	var all bytes.Buffer
	for ref := range strings.SplitSeq(refs, ",") {
		if ref = strings.TrimSpace(ref); ref == "" {
			continue
		}
		parts := strings.Split(ref, "/")
		if len(parts) != 3 || slices.Contains(parts, "") {
			return "", fmt.Errorf("invalid %s reference '%s' must be in the format 'Kind/namespace/name'", fluxcdv1.ChecksumFromAnnotation, ref)
		}
		if parts[0] != "ConfigMap" && parts[0] != "Secret" {
			return "", fmt.Errorf("unsupported kind '%s' in %s, only ConfigMap and Secret are allowed", parts[0], fluxcdv1.ChecksumFromAnnotation)
		}
		data, err := c.data(ctx, parts[0], parts[1], parts[2])
		if err != nil {
			return "", fmt.Errorf("failed to resolve %s reference %s: %w", fluxcdv1.ChecksumFromAnnotation, ref, err)
		}
		all.WriteString(ref + "\x00")
		for _, key := range slices.Sorted(maps.Keys(data)) {
			all.WriteString(key + "\x00")
			all.Write(data[key])
			all.WriteByte(0)
		}
	}
	return digest.FromBytes(all.Bytes()).String(), nil
}

func (c *checksums) data(ctx context.Context, kind, namespace, name string) (map[string][]byte, error) {
	if obj, ok := c.made[dataKey(kind, namespace, name)]; ok {
		return dataOf(obj)
	}
	c.external[kind+"/"+namespace+"/"+name] = true
	found, err := c.reading.get(ctx, kind, namespace, name)
	if err != nil {
		return nil, err
	}
	data := map[string][]byte{}
	switch o := found.(type) {
	case *corev1.ConfigMap:
		for key, value := range o.Data {
			data[key] = []byte(value)
		}
		maps.Copy(data, o.BinaryData)
	case *corev1.Secret:
		maps.Copy(data, o.Data)
	}
	return data, nil
}

// dataOf reads the data of an object that is made, in the order in which the
// API server would let one field win over another.
func dataOf(obj *unstructured.Unstructured) (map[string][]byte, error) {
	data := map[string][]byte{}
	isSecret := obj.GetKind() == "Secret"
	for _, field := range []string{"data", "binaryData", "stringData"} {
		values, _, err := unstructured.NestedStringMap(obj.Object, field)
		if err != nil {
			return nil, fmt.Errorf("its %s holds something that is no text", field)
		}
		for key, value := range values {
			raw := []byte(value)
			if field == "binaryData" || field == "data" && isSecret {
				if raw, err = base64.StdEncoding.DecodeString(value); err != nil {
					return nil, fmt.Errorf("its %s[%q] is no base64", field, key)
				}
			}
			data[key] = raw
		}
	}
	return data, nil
}
