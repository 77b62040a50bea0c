package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hearth/internal/spelling"
)

// Target is an object as a person names it.
type Target struct {
	// Kind is as it was written; "" where only the name was.
	Kind      string
	Namespace string
	Name      string
}

// maxTarget bounds the length of a target.
const maxTarget = 1024

// ParseTarget reads KIND/NAMESPACE/NAME or KIND/NAME; the names of images,
// charts and items may hold slashes themselves.
func ParseTarget(text string) (Target, error) {
	wrong := func(why string) (Target, error) {
		return Target{}, fmt.Errorf("%s: give KIND/NAMESPACE/NAME, or KIND/NAME for what has no namespace", why)
	}
	switch {
	case len(text) > maxTarget:
		return wrong(fmt.Sprintf("an object's name of %d bytes is too long", len(text)))
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return wrong(fmt.Sprintf("%q is no name of an object", text))
	}
	name, rest, ok := strings.Cut(strings.TrimSpace(text), "/")
	if !ok || name == "" || rest == "" {
		return wrong(fmt.Sprintf("%q names no object", text))
	}
	t := Target{Kind: name, Name: rest}
	if isPseudo(name) {
		return t, nil
	}
	if namespace, inside, ok := strings.Cut(rest, "/"); ok {
		t.Namespace, t.Name = namespace, inside
	}
	if t.Name == "" || strings.Contains(t.Name, "/") || strings.Contains(rest, "/") && t.Namespace == "" {
		return wrong(fmt.Sprintf("%q names no object", text))
	}
	return t, nil
}

// String returns the target as it is written.
func (t Target) String() string {
	switch {
	case t.Kind == "":
		return t.Namespace + "/" + t.Name
	case t.Namespace == "":
		return t.Kind + "/" + t.Name
	}
	return t.Kind + "/" + t.Namespace + "/" + t.Name
}

func isPseudo(name string) bool {
	for _, k := range []string{KindChart, KindImage, KindItem} {
		if isKind(name, k) {
			return true
		}
	}
	return false
}

// shortNames are those that kubectl knows for kinds of homelabs.
var shortNames = map[string]string{
	"ks": "Kustomization", "hr": "HelmRelease", "es": "ExternalSecret", "ces": "ClusterExternalSecret",
	"css": "ClusterSecretStore", "ss": "SecretStore", "ps": "PushSecret",
	"gitrepo": "GitRepository", "ocirepo": "OCIRepository", "helmrepo": "HelmRepository",
	"deploy": "Deployment", "sts": "StatefulSet", "ds": "DaemonSet", "cj": "CronJob", "po": "Pod",
	"svc": "Service", "cm": "ConfigMap", "sa": "ServiceAccount", "ns": "Namespace", "no": "Node",
	"pvc": "PersistentVolumeClaim", "pv": "PersistentVolume", "sc": "StorageClass", "pc": "PriorityClass",
	"ing": "Ingress", "gtw": "Gateway", "gw": "Gateway", "gc": "GatewayClass", "netpol": "NetworkPolicy",
	"cert": "Certificate", "certs": "Certificate", "hpa": "HorizontalPodAutoscaler", "pdb": "PodDisruptionBudget",
	"crd": "CustomResourceDefinition", "crds": "CustomResourceDefinition",
}

// isKind reports whether a word names a kind: by itself, its plural or a short
// name, in any case, and perhaps with the group after a dot.
func isKind(word, name string) bool {
	word, _, _ = strings.Cut(strings.ToLower(word), ".")
	if strings.EqualFold(shortNames[word], name) {
		return true
	}
	name = strings.ToLower(name)
	switch word {
	case name, name + "s", name + "es":
		return true
	}
	stem, ok := strings.CutSuffix(name, "y")
	return ok && word == stem+"ies"
}

// NotFoundError says that a cluster has no object of a name.
type NotFoundError struct {
	Cluster string
	Target  string
	// Nearest are the IDs most alike, the best first.
	Nearest []string
	// Several says that there is more than one, which are the nearest.
	Several bool
}

// Error tells what there is instead.
func (e *NotFoundError) Error() string {
	where := ""
	if e.Cluster != "" {
		where = " in cluster " + e.Cluster
	}
	switch {
	case e.Several:
		return fmt.Sprintf("%s names several objects%s: choose one of %s", e.Target, where, strings.Join(e.Nearest, ", "))
	case len(e.Nearest) == 0:
		return fmt.Sprintf("there is no %s%s", e.Target, where)
	}
	return fmt.Sprintf("there is no %s%s: the nearest are %s", e.Target, where, strings.Join(e.Nearest, ", "))
}

// Find returns the node that a target names. A namespace may be left out where
// only one object of the kind has the name.
func (g *Graph) Find(t Target) (*Node, error) {
	n := g.Network()
	if node := n.Node(t.String()); node != nil {
		return node, nil
	}
	var found []*Node
	for _, node := range n.Nodes {
		_, group, grouped := strings.Cut(t.Kind, ".")
		if node.Ref.Name == t.Name && isKind(t.Kind, node.Ref.Kind) && (t.Namespace == "" || t.Namespace == node.Ref.Namespace) &&
			(!grouped || strings.EqualFold(group, node.Group)) {
			found = append(found, node)
		}
	}
	// A kind of the same name that belongs to Kubernetes or Flux goes first.
	if exact := slices.DeleteFunc(slices.Clone(found), func(n *Node) bool { return n.Class == ClassOther }); len(exact) == 1 {
		found = exact
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, &NotFoundError{Cluster: g.clusterName(), Target: t.String(), Nearest: n.nearest(t)}
	}
	return nil, &NotFoundError{Cluster: g.clusterName(), Target: t.String(), Nearest: ids(found[:min(len(found), 8)]), Several: true}
}

// FindNamed returns the nodes of an application: those that bear a name in a
// namespace, or with a kind before it that one.
func (g *Graph) FindNamed(text string) ([]*Node, error) {
	namespace, name, ok := strings.Cut(strings.TrimSpace(text), "/")
	if !ok {
		namespace, name = "", namespace
	}
	var found []*Node
	for _, node := range g.Network().Nodes {
		if node.Ref.Name == name && (!ok || node.Ref.Namespace == namespace) && node.Class != ClassOther && node.Class != ClassService {
			found = append(found, node)
		}
	}
	if len(found) > 0 && name != "" {
		return found, nil
	}
	t, err := ParseTarget(text)
	if err == nil && g.Network().hasKind(t.Kind) {
		node, err := g.Find(t)
		if err != nil {
			return nil, err
		}
		return []*Node{node}, nil
	}
	return nil, &NotFoundError{Cluster: g.clusterName(), Target: strconv.Quote(text), Nearest: g.Network().nearestNames(namespace, name)}
}

func (n *Network) hasKind(word string) bool {
	return slices.ContainsFunc(n.Nodes, func(node *Node) bool { return isKind(word, node.Ref.Kind) })
}

func (g *Graph) clusterName() string {
	if g.State.Cluster == nil {
		return ""
	}
	return g.State.Cluster.Name
}

func ids(nodes []*Node) []string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = n.ID
	}
	return list
}

// candidate is a name that may have been meant.
type candidate struct {
	name     string
	distance int
}

// best returns the three names that are most like a wanted one of a length.
func best(list []candidate, length int) []string {
	list = slices.DeleteFunc(list, func(c candidate) bool { return c.distance > 2+length/4 })
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	list = slices.Compact(list)
	var names []string
	for _, c := range list[:min(len(list), 3)] {
		names = append(names, c.name)
	}
	return names
}

// nearest returns the IDs that are most like a target.
func (n *Network) nearest(t Target) []string {
	if long := shortNames[strings.ToLower(t.Kind)]; long != "" {
		t.Kind = long
	}
	full := strings.ToLower(t.String())
	var list []candidate
	for _, node := range n.Nodes {
		list = append(list, candidate{node.ID, spelling.Distance(full, strings.ToLower(node.ID))})
	}
	return best(list, len(full))
}

// nearestNames returns the names of applications that are most like one, as
// NAMESPACE/NAME.
func (n *Network) nearestNames(namespace, name string) []string {
	full := strings.ToLower(namespace + "/" + name)
	var list []candidate
	for _, node := range n.Nodes {
		if node.Ref.Namespace != "" && node.Class != ClassOther && node.Class != ClassService {
			own := node.Ref.Namespace + "/" + node.Ref.Name
			list = append(list, candidate{own, spelling.Distance(full, strings.ToLower(own))})
		}
	}
	return best(list, len(full))
}
