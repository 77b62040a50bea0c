package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"hearth/internal/kube/gitops"
	"hearth/internal/spelling"
)

// NotFoundError says that a world has no object of a name.
type NotFoundError struct {
	Wanted  string
	Nearest string
}

// Error names what was looked for, and what may have been meant.
func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("there is no %s in the cluster", e.Wanted)
	if e.Nearest != "" {
		text += fmt.Sprintf("; did you mean %s?", e.Nearest)
	}
	return text
}

// MisuseError says that a name has no form that is understood.
type MisuseError struct{ Text string }

// Error says what is understood.
func (e *MisuseError) Error() string {
	return fmt.Sprintf("%q is no KIND/NAME, KIND/NAMESPACE/NAME, host or \"all\"", e.Text)
}

// shortNames are the names by which people type the kinds that are no Flux
// objects, beside the kind itself and its plural.
var shortNames = map[string]Kind{
	"po": Pod, "no": Node, "ns": Namespace, "svc": Service, "cm": ConfigMap, "pvc": Claim, "pv": Volume, "sc": StorageClass,
	"deploy": Deployment, "sts": StatefulSet, "ds": DaemonSet, "cj": CronJob, "gw": Gateway, "cert": Certificate, "crd": Definition, "cluster": Database,
}

// kindOf returns the kind of a name that people type.
func kindOf(text string) (Kind, bool) {
	if k, ok := gitops.ParseKind(text); ok {
		return Kind{k.Group, k.GroupVersionKind.Kind}, true
	}
	lower := strings.ToLower(text)
	if k, ok := shortNames[lower]; ok {
		return k, true
	}
	for _, k := range Kinds {
		name := strings.ToLower(k.Name)
		if lower == name || lower == name+"s" || lower == name+"es" || lower == strings.TrimSuffix(name, "y")+"ies" {
			return k, true
		}
	}
	return Kind{}, false
}

// Target returns the objects that a person means: KIND/NAME or
// KIND/NAMESPACE/NAME, a host name that routes bear, or all objects, for which
// it returns none. Its error is a *MisuseError or a *NotFoundError.
func (w *World) Target(text, namespace string) ([]Key, error) {
	switch parts := strings.Split(text, "/"); {
	case text == "" || text == "all":
		return nil, nil
	case len(parts) == 1 && strings.Contains(text, "."):
		return w.host(text)
	case len(parts) == 3:
		return w.named3(text, parts[0], parts[1], parts[2])
	case len(parts) == 2:
		return w.named3(text, parts[0], namespace, parts[1])
	}
	return nil, &MisuseError{text}
}

func (w *World) named3(text, kindName, namespace, name string) ([]Key, error) {
	kind, ok := kindOf(kindName)
	if !ok || name == "" {
		return nil, &MisuseError{text}
	}
	var keys []Key
	var names []string
	for _, o := range w.All(kind) {
		if namespace != "" && o.Namespace != namespace && !clusterScoped[kind] {
			continue
		}
		names = append(names, o.Name)
		if o.Name == name {
			keys = append(keys, o.Key)
		}
	}
	if len(keys) == 0 {
		nearest := spelling.Guess(name, names)
		if nearest != "" {
			nearest = kindName + "/" + nearest
		}
		return nil, &NotFoundError{Wanted: kind.Name + " " + name, Nearest: nearest}
	}
	return keys, nil
}

// host returns the routes that bear a host name.
func (w *World) host(host string) ([]Key, error) {
	var keys []Key
	var known []string
	for _, r := range w.All(HTTPRoute) {
		hosts := r.Texts("spec", "hostnames")
		known = append(known, hosts...)
		if slices.ContainsFunc(hosts, func(h string) bool { return covers(h, host) }) {
			keys = append(keys, r.Key)
		}
	}
	if len(keys) == 0 {
		return nil, &NotFoundError{Wanted: "HTTPRoute of the host " + host, Nearest: spelling.Guess(host, known)}
	}
	return keys, nil
}

func covers(pattern, host string) bool {
	if rest, wild := strings.CutPrefix(pattern, "*."); wild {
		return strings.HasSuffix(host, "."+rest)
	}
	return strings.EqualFold(pattern, host)
}

// scope limits a report.
type scope struct {
	all       bool
	keys      map[Key]bool
	namespace string
}

// scopeOf widens the objects that were asked for by what they brought about,
// what they lead to, and what all of these wait for.
func scopeOf(w *World, v *web, o Options) scope {
	if len(o.Of) == 0 {
		return scope{all: true, namespace: o.Namespace}
	}
	below := map[Key]bool{}
	pending := slices.Clone(o.Of)
	for len(pending) > 0 {
		k := pending[0]
		pending = pending[1:]
		if below[k] {
			continue
		}
		below[k] = true
		pending = append(pending, w.below(k)...)
	}
	return scope{keys: reach(v.needs, sortedKeys(below)...), namespace: o.Namespace}
}

// below returns what an object brought about or leads to.
func (w *World) below(k Key) []Key {
	o := w.Get(k)
	if o == nil {
		return nil
	}
	keys := keysOf(w.Children(o))
	switch o.Kind() {
	case Kustomization:
		keys = append(keys, inventory(o)...)
	case HelmRelease:
		keys = append(keys, keysOf(w.Released(k))...)
		keys = append(keys, keysOf(w.brought(k))...)
	case Pod:
		for _, c := range Configuration(o) {
			if es := w.Maker(c); es != nil {
				keys = append(keys, es.Key)
			}
		}
	case HTTPRoute:
		keys = append(keys, routeNeeds(o)...)
	case Service:
		keys = append(keys, keysOf(w.Selected(o))...)
	}
	return keys
}

// concerns reports whether a finding belongs into the report.
func (s scope) concerns(roots []Key, blocked []Affected) bool {
	if s.keys != nil && !slices.ContainsFunc(roots, func(k Key) bool { return s.keys[k] }) {
		return false
	}
	return s.keys != nil || s.namespace == "" ||
		slices.ContainsFunc(roots, func(k Key) bool { return k.Namespace == s.namespace }) ||
		slices.ContainsFunc(blocked, func(a Affected) bool { return a.Object.Namespace == s.namespace })
}
