package graph

import (
	"strconv"
	"strings"

	"hearth/internal/render/desired"
)

// product is an object that another one makes at run time.
type product struct {
	kind
	namespace, name string
	// spread says in which namespaces it is made; nil means the one above.
	spread func(namespace string) bool
}

// maker lists what an object of a kind makes.
type maker func(p *products)

// products gathers what one object makes.
type products struct {
	field
	namespace, name string
	namespaces      namespaces
	list            []product
}

func (p *products) add(k kind, names ...string) {
	for _, name := range names {
		if name != "" {
			p.list = append(p.list, product{kind: k, namespace: p.namespace, name: name})
		}
	}
}

func (p *products) secrets(names ...string)  { p.add(secretKind, names...) }
func (p *products) services(names ...string) { p.add(serviceKind, names...) }

// suffixed adds objects that are named after this one.
func (p *products) suffixed(k kind, suffixes ...string) {
	for _, suffix := range suffixes {
		p.add(k, p.name+suffix)
	}
}

// elsewhere adds an object in another namespace; "" is the object's own.
func (p *products) elsewhere(k kind, namespace, name string) {
	if namespace == "" {
		namespace = p.namespace
	}
	if name != "" {
		p.list = append(p.list, product{kind: k, namespace: namespace, name: name})
	}
}

// everywhere adds an object in all namespaces that are accepted.
func (p *products) everywhere(k kind, name string, accepts func(namespace string) bool) {
	if name != "" {
		p.list = append(p.list, product{kind: k, name: name, spread: accepts})
	}
}

// makers are what is known of the kinds that make others.
var makers = joinedMakers(secretMakers, databaseMakers, operatorMakers, clusterMakers)

type makerTable map[kind]maker

func joinedMakers(tables ...makerTable) makerTable {
	all := makerTable{}
	for _, table := range tables {
		for k, m := range table {
			all[k] = m
		}
	}
	return all
}

// productsOf returns what an object makes.
func productsOf(o *desired.Object, in namespaces) []product {
	p := &products{field: field{value: o.Object}, namespace: o.GetNamespace(), name: o.GetName(), namespaces: in}
	k := kindOf(o)
	if m := makers[k]; m != nil {
		m(p)
	}
	p.copies(k)
	return p.list
}

// namespaces are the labels of the namespaces in the tree.
type namespaces map[string]map[string]string

// selected returns a predicate on namespaces from a list of label selectors.
// One that the tree does not hold may have any labels, and is accepted.
func (n namespaces) selected(selectors ...field) func(string) bool {
	return func(namespace string) bool {
		labels, known := n[namespace]
		if !known {
			return true
		}
		for _, s := range selectors {
			if s.exists() && matches(s, labels, namespace) {
				return true
			}
		}
		return false
	}
}

// matches reports whether a label selector may match a namespace.
func matches(selector field, labels map[string]string, namespace string) bool {
	value := func(name string) (string, bool) {
		if name == "kubernetes.io/metadata.name" {
			return namespace, true
		}
		v, ok := labels[name]
		return v, ok
	}
	for name, want := range selector.at("matchLabels").entries() {
		if got, ok := value(name); !ok || got != want.text() {
			return false
		}
	}
	for e := range selector.at("matchExpressions").items() {
		got, has := value(e.at("key").text())
		among := false
		for v := range e.at("values").items() {
			among = among || has && v.text() == got
		}
		switch e.at("operator").text() {
		case "In":
			if !among {
				return false
			}
		case "NotIn":
			if among {
				return false
			}
		case "Exists":
			if !has {
				return false
			}
		case "DoesNotExist":
			if has {
				return false
			}
		}
	}
	return true
}

// clusterMakers are kinds of Kubernetes itself.
var clusterMakers = makerTable{
	{"apps", "StatefulSet"}: func(p *products) {
		replicas, err := strconv.Atoi(p.at("spec", "replicas").textOr("1"))
		if err != nil {
			replicas = 1
		}
		for template := range p.at("spec", "volumeClaimTemplates").items() {
			for i := range min(max(replicas, 1), 64) {
				p.add(claimKind, template.at("metadata", "name").text()+"-"+p.name+"-"+strconv.Itoa(i))
			}
		}
	},
	ingressKind: func(p *products) {
		if p.isCertified() {
			for tls := range p.at("spec", "tls").items() {
				p.secrets(tls.at("secretName").text())
			}
		}
	},
	gatewayKind: func(p *products) {
		class := p.at("spec", "gatewayClassName").text()
		p.services(class+"-gateway-"+p.name, p.name+"-"+class)
		if !p.isCertified() {
			return
		}
		for listener := range p.at("spec", "listeners").items() {
			for certificate := range listener.at("tls", "certificateRefs").items() {
				p.elsewhere(secretKind, certificate.at("namespace").text(), certificate.at("name").text())
			}
		}
	},
}

// isCertified reports whether cert-manager makes the certificates that an
// Ingress or Gateway names.
func (p *products) isCertified() bool {
	for name, value := range p.at("metadata", "annotations").entries() {
		switch name {
		case "cert-manager.io/issuer", "cert-manager.io/cluster-issuer", "kubernetes.io/tls-acme":
			return !value.isFalse()
		}
	}
	return false
}

// copies adds the copies of a Secret or ConfigMap that a replicator makes,
// asked for by annotations of the object, or of the template that an operator
// makes it from.
func (p *products) copies(k kind) {
	switch k {
	case secretKind, configMapKind:
		p.copied(k, p.name, p.at("metadata", "annotations"))
	case externalSecretKind:
		p.copied(secretKind, p.at("spec", "target", "name").textOr(p.name), p.at("spec", "target", "template", "metadata", "annotations"))
	case kind{certManagerGroup, "Certificate"}:
		p.copied(secretKind, p.at("spec", "secretName").text(), p.at("spec", "secretTemplate", "annotations"))
	case kind{"bitnami.com", "SealedSecret"}:
		p.copied(secretKind, p.at("spec", "template", "metadata", "name").textOr(p.name), p.at("spec", "template", "metadata", "annotations"))
	}
}

const (
	reflector  = "reflector.v1.k8s.emberstack.com/"
	replicator = "replicator.v1.mittwald.de/"
)

func (p *products) copied(k kind, name string, annotations field) {
	if !annotations.exists() {
		return
	}
	if annotations.at(reflector + "reflection-auto-enabled").isTrue() {
		to := annotations.at(reflector + "reflection-auto-namespaces").text()
		if to == "" {
			to = annotations.at(reflector + "reflection-allowed-namespaces").text()
		}
		p.everywhere(k, name, amongPatterns(to))
	}
	if to := annotations.at(replicator + "replicate-to").text(); to != "" {
		p.everywhere(k, name, amongPatterns(to))
	}
	if annotations.at(replicator + "replicate-to-matching").exists() {
		p.everywhere(k, name, anyNamespace)
	}
	if annotations.at("kubed.appscode.com/sync").exists() {
		p.everywhere(k, name, anyNamespace)
	}
}

func anyNamespace(string) bool { return true }

// amongPatterns accepts the namespaces that a list of names and regular
// expressions, separated by commas, may match; an empty list accepts all.
func amongPatterns(list string) func(string) bool {
	if strings.TrimSpace(list) == "" {
		return anyNamespace
	}
	return func(namespace string) bool {
		for pattern := range strings.SplitSeq(list, ",") {
			if matchesWhole(strings.TrimSpace(pattern), namespace) {
				return true
			}
		}
		return false
	}
}
