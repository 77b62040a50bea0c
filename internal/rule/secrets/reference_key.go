package secrets

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

// keyring knows the keys of the Secrets of a cluster, where the tree tells all.
type keyring struct {
	// keys are those of a Secret, "namespace/name"; nil where more are possible.
	keys  map[string]map[string]bool
	names map[string][]string // of Secrets, by namespace
}

func newKeys(c *rule.Cluster) *keyring {
	k := &keyring{keys: map[string]map[string]bool{}, names: map[string][]string{}}
	for _, o := range c.State.OfKind("", "Secret") {
		if o.Release == nil || !o.Release.StandIn {
			k.add(o.GetNamespace(), o.GetName(), keysOfSecret(o))
		} else {
			k.add(o.GetNamespace(), o.GetName(), nil)
		}
	}
	for _, o := range c.State.OfKind(group, "ExternalSecret") {
		e := newExternal(c, o, "spec")
		name := e.typed.Target.Name
		if name == "" {
			name = o.GetName()
		}
		keys := e.keys()
		if c.State.Unknown(fmt.Sprint(e.spec["target"])) {
			keys = nil
		}
		k.add(o.GetNamespace(), name, keys)
	}
	for _, o := range c.State.OfKind(group, "PushSecret") {
		k.pushed(o, "spec", "data")
	}
	for _, o := range c.State.OfKind(group, "ClusterPushSecret") {
		k.pushed(o, "spec", "pushSecretSpec", "data")
	}
	return k
}

// pushed notes that a Secret may get keys that are pushed to it, in whichever
// namespace its store leads to.
func (k *keyring) pushed(o *desired.Object, path ...string) {
	data, _, _ := unstructured.NestedSlice(o.Object, path...)
	for _, entry := range data {
		match, _ := entry.(map[string]any)
		name, _, _ := unstructured.NestedString(match, "match", "remoteRef", "remoteKey")
		for namespace, names := range k.names {
			if slices.Contains(names, name) {
				k.add(namespace, name, nil)
			}
		}
	}
}

// add notes the keys that one of its makers gives a Secret; nil means any.
func (k *keyring) add(namespace, name string, keys map[string]bool) {
	id := namespace + "/" + name
	known, had := k.keys[id]
	if !had {
		k.names[namespace] = append(k.names[namespace], name)
		k.keys[id] = maps.Clone(keys)
		return
	}
	if known == nil || keys == nil {
		k.keys[id] = nil
		return
	}
	maps.Copy(known, keys)
}

func (k *keyring) inNamespace(namespace string) []string {
	return slices.Sorted(slices.Values(k.names[namespace]))
}

func keysOfSecret(o *desired.Object) map[string]bool {
	keys := map[string]bool{}
	for _, field := range []string{"data", "stringData"} {
		data, _ := o.Object[field].(map[string]any)
		for key := range data {
			keys[key] = true
		}
	}
	if len(keys) == 0 {
		return nil // a controller fills it, as it does tokens of accounts
	}
	return keys
}

// keys returns the keys that the ExternalSecret gives its Secret; nil where
// the vault or another template decides.
func (e *external) keys() map[string]bool {
	target := e.typed.Target.Template
	keys := map[string]bool{}
	if e.typed.Target.CreationPolicy == v1.CreateMerge || e.typed.Target.CreationPolicy == v1.CreateNone {
		return nil
	}
	if target != nil {
		for key := range target.Data {
			keys[key] = true
		}
		if len(target.TemplateFrom) > 0 {
			return nil
		}
		if len(keys) > 0 && target.MergePolicy != v1.MergePolicyMerge {
			return keys
		}
	}
	if len(e.typed.DataFrom) > 0 {
		return nil
	}
	for _, d := range e.typed.Data {
		keys[d.SecretKey] = true
	}
	if len(keys) == 0 {
		return nil
	}
	return keys
}

// key tells that a Secret does not have a key that is asked for.
func (r *references) key(o *desired.Object, ref graph.Reference) {
	key := ref.Key
	if key == "" && slices.Contains(ref.Path, "valuesFrom") {
		key = "values.yaml"
	}
	r.checkKey(o, ref.Namespace, ref.Name, key, ref.Path)
}

func (r *references) checkKey(o *desired.Object, namespace, name, key string, path []string) {
	keys := r.keys.keys[namespace+"/"+name]
	if key == "" || keys == nil || keys[key] {
		return
	}
	at := path
	if sibling := below(path[:max(0, len(path)-1)], "key"); len(path) > 0 && o.Place(sibling...) != o.Place(path[:len(path)-1]...) {
		at = sibling
	}
	r.Report(rule.Finding{
		Place: o.Place(at...), Text: key, Object: o.Ref,
		Message: fmt.Sprintf("the Secret %s/%s has no key %s, which %s asks for (it has %s)", namespace, name, key, o.Ref, several(keys)),
		Fix:     "correct the key, or add it to the template of the ExternalSecret",
	})
}

// several names a few of the keys.
func several(keys map[string]bool) string {
	const most = 4
	names := slices.Sorted(maps.Keys(keys))
	if len(names) > most {
		return fmt.Sprintf("%s and %d others", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// volumes judges the keys that pods mount as single files.
func (r *references) volumes(o *desired.Object) {
	for _, pod := range graph.PodSpecs(o) {
		for i, volume := range pod.Spec.Volumes {
			if volume.Secret == nil || volume.Secret.Optional != nil && *volume.Secret.Optional || r.unknown(volume.Secret.SecretName) {
				continue
			}
			for j, item := range volume.Secret.Items {
				if r.unknown(item.Key) {
					continue
				}
				path := below(pod.Path, "volumes", strconv.Itoa(i), "secret", "items", strconv.Itoa(j), "key")
				r.checkKey(o, o.GetNamespace(), volume.Secret.SecretName, item.Key, path)
			}
		}
	}
}
