package diagnose

import (
	"maps"
	"slices"
	"strings"
)

// maxSolverDepth bounds how deep a solver's references are looked for.
const maxSolverDepth = 6

// certificateNeeds leads to the issuer, and to the Secrets that its solvers log
// in with: an issuer is ready without them.
func (w *World) certificateNeeds(o *Object) []Key {
	keys := []Key{issuerKey(o)}
	if issuer := w.IssuerOf(o); issuer != nil {
		keys = append(keys, w.issuerNeeds(issuer)...)
	}
	return keys
}

// IssuerOf returns the issuer that a certificate names; nil where there is none.
func (w *World) IssuerOf(certificate *Object) *Object { return w.Get(issuerKey(certificate)) }

func issuerKey(certificate *Object) Key {
	kind := cmpKind(certificate.Text("spec", "issuerRef", "kind"), Issuer.Name)
	return certificate.Names(Kind{certGroup, kind}, certificate.In("spec", "issuerRef"))
}

// issuerNeeds are the Secrets that an issuer reads: those of its solvers, and
// that of its own authority. An account's key it makes itself.
func (w *World) issuerNeeds(issuer *Object) []Key {
	namespace := issuer.Namespace
	if namespace == "" {
		namespace = w.certManager()
	}
	var names []string
	if ca := issuer.Text("spec", "ca", "secretName"); ca != "" {
		names = append(names, ca)
	}
	for _, solver := range issuer.List("spec", "acme", "solvers") {
		names = append(names, secretRefs(solver, maxSolverDepth)...)
	}
	keys := make([]Key, 0, len(names))
	for _, name := range names {
		keys = append(keys, Secret.Key(namespace, name))
	}
	return keys
}

// secretRefs returns the names of the Secrets that a solver's provider refers
// to: each provider has fields of its own, which all end alike.
func secretRefs(f Fields, depth int) []string {
	var names []string
	for _, field := range slices.Sorted(maps.Keys(f)) {
		inner := f.In(field)
		switch {
		case inner == nil || depth == 0:
		case strings.HasSuffix(field, "SecretRef"):
			names = append(names, inner.Text("name"))
		default:
			names = append(names, secretRefs(inner, depth-1)...)
		}
	}
	return names
}

// certManager is the namespace of cert-manager, which reads the Secrets of
// ClusterIssuers there.
func (w *World) certManager() string {
	for _, d := range w.All(Deployment) {
		if d.Label("app.kubernetes.io/name") == "cert-manager" {
			return d.Namespace
		}
	}
	return "cert-manager"
}

// gatewayNeeds leads to the class and to the certificates of listeners; where
// a listener's certificate is no good also to what makes it.
func (w *World) gatewayNeeds(o *Object) []Key {
	keys := []Key{GatewayClass.Key("", o.Text("spec", "gatewayClassName"))}
	refused := map[string]bool{}
	for _, l := range o.List("status", "listeners") {
		refused[l.Text("name")] = l.ConditionIn("ResolvedRefs", "conditions").False()
	}
	for _, l := range o.List("spec", "listeners") {
		for _, ref := range l.List("tls", "certificateRefs") {
			secret := o.Names(Secret, ref)
			keys = append(keys, secret)
			if maker := w.Maker(secret); maker != nil && refused[l.Text("name")] {
				keys = append(keys, maker.Key)
			}
		}
	}
	return keys
}
