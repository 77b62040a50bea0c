package diagnose

import (
	"slices"
	"strings"
)

// podNeeds are what a pod cannot run without: its node, its claims, its
// Secrets and ConfigMaps, and the databases that it is told of.
func (w *World) podNeeds(o *Object) []Key {
	keys := append(Configuration(o), claimsOf(o)...)
	if node := o.Text("spec", "nodeName"); node != "" {
		keys = append(keys, Node.Key("", node))
	}
	return append(keys, w.Databases(o)...)
}

// Databases returns the database clusters that a pod is told of: by an address
// among its variables, or by one in the template of an ExternalSecret that
// makes one of its Secrets. The addresses are those of the clusters' Services.
func (w *World) Databases(pod *Object) []Key {
	clusters := w.byKind[Database]
	if len(clusters) == 0 {
		return nil
	}
	texts := w.Told(pod)
	var keys []Key
	for _, c := range clusters {
		if pod.Label("cnpg.io/cluster") == c.Name && pod.Namespace == c.Namespace {
			continue
		}
		if slices.ContainsFunc(texts, func(t string) bool { return namesDatabase(t, c, pod.Namespace) }) {
			keys = append(keys, c.Key)
		}
	}
	return keys
}

// Told returns the texts in which a pod is told addresses, none of them secret.
func (w *World) Told(pod *Object) []string {
	var texts []string
	for _, c := range Containers(pod) {
		for _, env := range c.List("env") {
			texts = append(texts, env.Text("value"))
			// The operator's own Secrets are named after the cluster.
			texts = append(texts, env.Text("valueFrom", "secretKeyRef", "name"))
		}
	}
	for _, k := range Configuration(pod) {
		if es := w.Maker(k); es != nil && es.Kind() == ExternalSecret {
			for _, v := range es.In("spec", "target", "template", "data") {
				if s, ok := v.(string); ok {
					texts = append(texts, s)
				}
			}
		}
	}
	return texts
}

// namesDatabase reports whether a text names a Service of a cluster, or the
// Secret of its application.
func namesDatabase(text string, cluster *Object, namespace string) bool {
	for _, suffix := range []string{"-rw", "-ro", "-r", "-app"} {
		name := cluster.Name + suffix
		for rest, i := text, 0; ; rest = rest[i+len(name):] {
			if i = strings.Index(rest, name); i < 0 {
				break
			}
			before, after := rest[:i], rest[i+len(name):]
			if before != "" && isNamePart(before[len(before)-1]) || after != "" && isNamePart(after[0]) {
				continue
			}
			if in, ok := strings.CutPrefix(after, "."); ok {
				if in, _, _ = strings.Cut(in, "."); cutName(in) == cluster.Namespace {
					return true
				}
			} else if namespace == cluster.Namespace {
				return true
			}
		}
	}
	return false
}

func isNamePart(c byte) bool {
	return c == '-' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}

// cutName returns the part of a text before the first letter that no name has.
func cutName(s string) string {
	for i := range len(s) {
		if !isNamePart(s[i]) {
			return s[:i]
		}
	}
	return s
}

// TargetOf returns the Secret that an ExternalSecret makes.
func TargetOf(es *Object) Key {
	return Secret.Key(es.Namespace, cmpKind(es.Text("spec", "target", "name"), es.Name))
}

// Maker returns the ExternalSecret or Certificate that makes a Secret.
func (w *World) Maker(k Key) *Object {
	if k.Kind != Secret.Name {
		return nil
	}
	return w.index().makers[k]
}

// index is what is looked up time and again.
type index struct {
	makers map[Key]*Object // of Secrets
	pods   map[Key][]*Object
	others map[Key][]*Object
}

func (w *World) index() *index {
	if w.looked != nil {
		return w.looked
	}
	x := &index{makers: map[Key]*Object{}, pods: map[Key][]*Object{}, others: map[Key][]*Object{}}
	w.looked = x
	for _, es := range w.All(ExternalSecret) {
		x.makers[TargetOf(es)] = es
	}
	for _, c := range w.All(Certificate) {
		x.makers[Secret.Key(c.Namespace, c.Text("spec", "secretName"))] = c
	}
	for _, o := range w.All(Deployment, StatefulSet, DaemonSet, Job, Claim, Database, Certificate, ExternalSecret) {
		if by := w.Bringer(o); by != nil && by.Kind() == HelmRelease {
			x.others[by.Key] = append(x.others[by.Key], o)
		}
	}
	for _, p := range w.All(Pod) {
		if by := w.Bringer(p); by != nil && by.Kind() == HelmRelease {
			x.pods[by.Key] = append(x.pods[by.Key], p)
		}
	}
	return x
}

// Released returns the pods that a release brought.
func (w *World) Released(release Key) []*Object { return w.index().pods[release] }

// brought returns what else a release brought.
func (w *World) brought(release Key) []*Object { return w.index().others[release] }

// makers returns what should have made an object that does not exist: the
// ExternalSecret or Certificate of a Secret, else the release or Kustomization
// that bears its name and is in trouble itself.
func (w *World) makers(k Key) []Key {
	if o := w.Maker(k); o != nil {
		return []Key{o.Key}
	}
	if w.Places != nil {
		if by, ok := w.Places.Bringer(k); ok {
			return []Key{by}
		}
	}
	for _, o := range w.inNamespace(Database, k.Namespace) {
		if k.Name == o.Name+"-app" || k.Name == o.Name+"-superuser" || k.Name == o.Name+"-rw" || k.Name == o.Name+"-ro" || k.Name == o.Name+"-r" {
			return []Key{o.Key}
		}
	}
	var keys []Key
	for _, o := range w.inNamespace(HelmRelease, k.Namespace) {
		if (k.Name == o.Name || strings.HasPrefix(k.Name, o.Name+"-")) && w.Trouble(o) != nil {
			keys = append(keys, o.Key)
		}
	}
	if len(keys) > 0 || k.Kind == Secret.Name {
		return keys
	}
	for _, o := range w.All(Kustomization) {
		if k.Name == o.Name && w.Trouble(o) != nil && o.Key != k {
			keys = append(keys, o.Key)
		}
	}
	return keys
}
