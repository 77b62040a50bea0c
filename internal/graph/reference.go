package graph

import (
	"maps"
	"strings"

	"hearth/internal/render/desired"
)

// Reference is an object that another one names.
type Reference struct {
	Group, Kind string
	// Namespace is "" for cluster-scoped kinds, and where an operator looks in
	// its own namespace, which the object does not tell.
	Namespace, Name string
	// Key is the key of the Secret or ConfigMap, the port of the Service, or
	// the section of the Gateway; "" where none is named.
	Key string
	// Optional says that the object works without it.
	Optional bool
	// Path leads to the field that holds the name.
	Path []string
	// Why says what it is needed for, so that "the object Why the other"
	// reads as a sentence: "reads its environment from".
	Why string
}

// collector gathers the references of one object.
type collector struct {
	field
	namespace string
	refs      []Reference
}

// readers are what is known of the fields of kinds. A kind named "*" stands
// for all others of its group.
var readers = joined(
	workloadReaders, podReaders(), fluxReaders, secretReaders, routeReaders, routesReaders(), databaseReaders, operatorReaders,
)

type readerTable map[kind]func(*collector)

func joined(tables ...readerTable) readerTable {
	all := readerTable{}
	for _, table := range tables {
		maps.Copy(all, table)
	}
	return all
}

// References returns what an object names, in a fixed order: the Secrets, ConfigMaps, claims,
// accounts and classes of pods, the backends, gateways and certificates of
// routes, the stores of ExternalSecrets, the sources, values and dependencies
// of Flux's objects, the issuers of certificates, the Secrets of databases. Of
// kinds it does not know it returns what by convention names a Secret or a
// ConfigMap.
func References(o *desired.Object) []Reference {
	c := &collector{field: field{value: o.Object}, namespace: o.GetNamespace()}
	k := kindOf(o)
	read := readers[k]
	if read == nil {
		read = readers[kind{k.group, "*"}]
	}
	switch {
	case read != nil:
		read(c)
	case isCustom(k.group):
		c.conventions(c.at("spec"))
	}
	if targets := c.at("spec", "targetRefs"); targets.exists() && isCustom(k.group) {
		for target := range targets.items() {
			c.target(target, kind{}, "applies to")
		}
	}
	return c.refs
}

// ownGroups are Kubernetes' own groups that have a dot in their names.
var ownGroups = map[string]bool{
	"admissionregistration.k8s.io": true, "apiextensions.k8s.io": true, "apiregistration.k8s.io": true,
	"authentication.k8s.io": true, "authorization.k8s.io": true, "certificates.k8s.io": true,
	"coordination.k8s.io": true, "discovery.k8s.io": true, "events.k8s.io": true,
	"flowcontrol.apiserver.k8s.io": true, "internal.apiserver.k8s.io": true, "networking.k8s.io": true,
	"node.k8s.io": true, "rbac.authorization.k8s.io": true, "resource.k8s.io": true, "scheduling.k8s.io": true,
	"storage.k8s.io": true, "storagemigration.k8s.io": true,
	"metrics.k8s.io": true, "custom.metrics.k8s.io": true, "external.metrics.k8s.io": true,
}

// isCustom reports whether a group is none of Kubernetes' own.
func isCustom(group string) bool { return strings.Contains(group, ".") && !ownGroups[group] }

// option changes a reference that is being added.
type option func(*Reference)

func optional(r *Reference) { r.Optional = true }

func optionalIf(is bool) option { return func(r *Reference) { r.Optional = r.Optional || is } }

func withKey(key string) option { return func(r *Reference) { r.Key = key } }

// in names the namespace; "" leaves the object's own.
func in(namespace string) option {
	return func(r *Reference) {
		if namespace != "" {
			r.Namespace = namespace
		}
	}
}

// name adds a reference to the object of a kind that a field names.
func (c *collector) name(f field, to kind, why string, options ...option) {
	name := f.text()
	if name == "" || to.name == "" {
		return
	}
	r := Reference{Group: to.group, Kind: to.name, Namespace: c.namespace, Name: name, Path: f.path, Why: why}
	for _, change := range options {
		change(&r)
	}
	if isClusterScoped(to) {
		r.Namespace = ""
	}
	c.refs = append(c.refs, r)
}

// Kinds that many others name.
var (
	secretKind         = kind{"", "Secret"}
	configMapKind      = kind{"", "ConfigMap"}
	serviceKind        = kind{"", "Service"}
	claimKind          = kind{"", "PersistentVolumeClaim"}
	volumeKind         = kind{"", "PersistentVolume"}
	serviceAccountKind = kind{"", "ServiceAccount"}
	storageClassKind   = kind{"storage.k8s.io", "StorageClass"}
	namespaceKind      = kind{"", "Namespace"}
)

// selector adds a reference by a mapping {name, key, namespace, optional}.
func (c *collector) selector(f field, to kind, why string, options ...option) {
	c.name(f.at("name"), to, why, append([]option{
		withKey(f.at("key").text()), in(f.at("namespace").text()), optionalIf(f.at("optional").isTrue()),
	}, options...)...)
}

func (c *collector) secret(f field, why string, options ...option) {
	c.selector(f, secretKind, why, options...)
}

func (c *collector) configMap(f field, why string, options ...option) {
	c.selector(f, configMapKind, why, options...)
}

// target adds a reference by a mapping {group or apiVersion, kind, name,
// namespace}, whose kind is the given one where the mapping does not say.
func (c *collector) target(f field, otherwise kind, why string, options ...option) {
	to := kind{f.at("group").text(), f.at("kind").textOr(otherwise.name)}
	switch {
	case f.at("group").exists():
	case f.at("apiGroup").exists():
		to.group = f.at("apiGroup").text()
	case f.at("apiVersion").exists():
		to.group = groupOf(f.at("apiVersion").text())
	default:
		to.group = otherwise.group
	}
	if to.name == "" {
		return
	}
	c.name(f.at("name"), to, why, append([]option{in(f.at("namespace").text())}, options...)...)
}

// groupOf returns the group of an apiVersion.
func groupOf(apiVersion string) string {
	group, _, ok := strings.Cut(apiVersion, "/")
	if !ok {
		return ""
	}
	return group
}

// maxDepth bounds how deep the fields of unknown kinds are searched.
const maxDepth = 24

// conventions adds what fields of an unknown kind name by convention:
// secretKeyRef, configMapKeyRef and whatever ends in SecretRef, each a mapping
// with a name. What is only an output by its name is left out.
func (c *collector) conventions(f field) { c.convention(f, maxDepth) }

func (c *collector) convention(f field, depth int) {
	if depth == 0 {
		return
	}
	for item := range f.items() {
		c.convention(item, depth-1)
	}
	for name, value := range f.entries() {
		named := value.at("name").text() != ""
		switch {
		case named && (name == "secretKeyRef" || strings.HasSuffix(name, "SecretKeyRef")):
			c.secret(value, "reads a value from")
		case named && (name == "secretRef" || strings.HasSuffix(name, "SecretRef")) && !isOutput(name):
			c.secret(value, "reads credentials from")
		case named && (name == "configMapKeyRef" || name == "configMapRef"):
			c.configMap(value, "reads a value from")
		default:
			c.convention(value, depth-1)
		}
	}
}

// isOutput reports whether a field names a Secret that the operator writes.
func isOutput(name string) bool {
	for _, part := range []string{"privateKey", "target", "output", "destination", "connection"} {
		if strings.HasPrefix(name, part) || strings.HasPrefix(name, "write") {
			return true
		}
	}
	return false
}
