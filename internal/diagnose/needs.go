package diagnose

import (
	"net/url"
	"strings"
)

// Needs returns what an object in trouble waits for at the moment, as far as
// that exists in trouble or does not exist. What it names and has already got
// is left out: a release whose values are refused does not wait for its
// dependencies.
func (w *World) Needs(o *Object) []Key {
	t := w.Trouble(o)
	if t == nil || t.State == StateSuspended {
		return nil
	}
	switch o.Kind() {
	case Kustomization:
		return w.kustomizationNeeds(o)
	case HelmRelease:
		return w.releaseNeeds(o)
	case HelmChart:
		return []Key{o.Names(Kind{sourceGroup, o.Text("spec", "sourceRef", "kind")}, o.In("spec", "sourceRef"))}
	case GitRepository, OCIRepository, HelmRepository, Bucket:
		return secretsIn(o, o.In("spec", "secretRef"), o.In("spec", "certSecretRef"))
	case ExternalSecret:
		return w.externalSecretNeeds(o)
	case SecretStore, ClusterSecretStore:
		return w.storeNeeds(o)
	case Pod:
		return w.podNeeds(o)
	case Deployment, StatefulSet, DaemonSet, Job:
		return keysOf(w.Pods(o))
	case Service:
		return keysOf(w.Selected(o))
	case Claim:
		return []Key{StorageClass.Key("", o.Text("spec", "storageClassName"))}
	case Database:
		return w.databaseNeeds(o)
	case HTTPRoute:
		return routeNeeds(o)
	case Gateway:
		return w.gatewayNeeds(o)
	case Certificate:
		return w.certificateNeeds(o)
	case Issuer, ClusterIssuer:
		return w.issuerNeeds(o)
	case APIService:
		if o.Has("spec", "service") {
			return []Key{Service.Key(o.Text("spec", "service", "namespace"), o.Text("spec", "service", "name"))}
		}
	}
	return nil
}

func cmpKind(kind, otherwise string) string {
	if kind == "" {
		return otherwise
	}
	return kind
}

func keysOf(list []*Object) []Key {
	keys := make([]Key, 0, len(list))
	for _, o := range list {
		keys = append(keys, o.Key)
	}
	return keys
}

func secretsIn(o *Object, refs ...Fields) []Key {
	var keys []Key
	for _, ref := range refs {
		if ref.Text("name") != "" {
			keys = append(keys, o.Names(Secret, ref))
		}
	}
	return keys
}

// waitsForHealth reports whether what a Flux object has applied keeps it from
// being ready.
func waitsForHealth(ready, reconciling Condition) bool {
	if strings.HasPrefix(reconciling.Message, "Running ") || ready.Reason == "HealthCheckFailed" {
		return true
	}
	text := strings.ToLower(ready.Message)
	for _, sign := range []string{"not ready", "timed out", "timeout", "deadline exceeded", "health check", "inprogress", "backoff limit"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// Dependencies returns what dependsOn names.
func Dependencies(o *Object) []Key {
	var keys []Key
	for _, d := range o.List("spec", "dependsOn") {
		keys = append(keys, o.Names(o.Kind(), d))
	}
	return keys
}

// SourceOf returns what a Kustomization or HelmRelease is made of: for a
// release the HelmChart where there is one.
func SourceOf(o *Object) Key {
	ref := o.In("spec", "sourceRef")
	if o.Kind() == HelmRelease {
		if ref = o.In("spec", "chartRef"); ref == nil {
			name, namespace := o.Namespace+"-"+o.Name, o.Text("spec", "chart", "spec", "sourceRef", "namespace")
			return HelmChart.Key(cmpKind(namespace, o.Namespace), name)
		}
	}
	return o.Names(Kind{sourceGroup, ref.Text("kind")}, ref)
}

func (w *World) kustomizationNeeds(o *Object) []Key {
	ready := o.Condition("Ready")
	switch {
	case ready.Type == "":
		return append(Dependencies(o), SourceOf(o))
	case ready.Reason == "DependencyNotReady":
		return Dependencies(o)
	case ready.Reason == "ArtifactFailed":
		return []Key{SourceOf(o)}
	case ready.Reason == "BuildFailed":
		return w.substitutions(o)
	case waitsForHealth(ready, o.Condition("Reconciling")):
		return inventory(o)
	}
	return w.named(o, ready.Message)
}

// substitutions are the Secrets and ConfigMaps that a build reads.
func (w *World) substitutions(o *Object) []Key {
	keys := secretsIn(o, o.In("spec", "decryption", "secretRef"))
	for _, from := range o.List("spec", "postBuild", "substituteFrom") {
		if !from.True("optional") {
			keys = append(keys, o.Names(Kind{"", from.Text("kind")}, from))
		}
	}
	return keys
}

// inventory reads what a Kustomization has applied.
func inventory(o *Object) []Key {
	var keys []Key
	for _, entry := range o.List("status", "inventory", "entries") {
		parts := strings.Split(entry.Text("id"), "_")
		if len(parts) < 4 {
			continue
		}
		n := len(parts)
		keys = append(keys, Kind{parts[n-2], parts[n-1]}.Key(parts[0], strings.Join(parts[1:n-2], "_")))
	}
	return append(keys, healthChecks(o)...)
}

func healthChecks(o *Object) []Key {
	var keys []Key
	for _, c := range o.List("spec", "healthChecks") {
		keys = append(keys, Kind{groupOf(c.Text("apiVersion")), c.Text("kind")}.Key(c.Text("namespace"), c.Text("name")))
	}
	return keys
}

// named returns the namespace that a refused apply says is missing.
func (w *World) named(o *Object, message string) []Key {
	if _, rest, ok := strings.Cut(message, `namespaces "`); ok {
		if namespace, _, ok := strings.Cut(rest, `" not found`); ok {
			return []Key{Namespace.Key("", namespace)}
		}
	}
	return nil
}

func (w *World) releaseNeeds(o *Object) []Key {
	ready := o.Condition("Ready")
	switch ready.Reason {
	case "DependencyNotReady":
		return Dependencies(o)
	case "ArtifactFailed", "SourceNotReady":
		return w.chartSources(o)
	case "ValuesError":
		return valuesFrom(o)
	case "":
		return append(append(Dependencies(o), w.chartSources(o)...), valuesFrom(o)...)
	}
	if !waitsForHealth(ready, o.Condition("Reconciling")) {
		return nil
	}
	var keys []Key
	for _, p := range w.Released(o.Key) {
		keys = append(keys, p.Key)
	}
	for _, c := range w.brought(o.Key) {
		keys = append(keys, c.Key)
	}
	return append(keys, valuesFrom(o)...)
}

func (w *World) chartSources(o *Object) []Key {
	keys := []Key{SourceOf(o)}
	if ref := o.In("spec", "chart", "spec", "sourceRef"); ref != nil {
		keys = append(keys, o.Names(Kind{sourceGroup, ref.Text("kind")}, ref))
	}
	return keys
}

func valuesFrom(o *Object) []Key {
	var keys []Key
	for _, from := range o.List("spec", "valuesFrom") {
		if !from.True("optional") {
			keys = append(keys, o.Names(Kind{"", from.Text("kind")}, from))
		}
	}
	return keys
}

func (w *World) externalSecretNeeds(o *Object) []Key {
	ref := o.In("spec", "secretStoreRef")
	keys := []Key{}
	if ref.Text("name") != "" {
		keys = append(keys, o.Names(Kind{secretsGroup, cmpKind(ref.Text("kind"), SecretStore.Name)}, ref))
	}
	for _, from := range o.List("spec", "target", "template", "templateFrom") {
		keys = append(keys, secretsIn(o, from.In("secret"))...)
	}
	return keys
}

// storeNeeds leads from a store to the Service of its Connect server, and to
// the Secret of its token.
func (w *World) storeNeeds(o *Object) []Key {
	keys := secretsIn(o, o.In("spec", "provider", "onepassword", "auth", "secretRef", "connectTokenSecretRef"))
	if service, ok := ServiceOf(o.Text("spec", "provider", "onepassword", "connectHost"), o.Namespace); ok {
		keys = append(keys, service)
	}
	return keys
}

// ServiceOf returns the Service that a URL or a host and port leads to, where
// its name is one that only a cluster resolves.
func ServiceOf(address, namespace string) (Key, bool) {
	host := address
	if strings.Contains(address, "://") {
		u, err := url.Parse(address)
		if err != nil {
			return Key{}, false
		}
		host = u.Hostname()
	} else {
		host, _, _ = strings.Cut(host, ":")
	}
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	switch {
	case len(parts) == 1 && namespace != "" && host != "":
		return Service.Key(namespace, host), true
	case len(parts) == 2 || len(parts) >= 3 && parts[2] == "svc":
		return Service.Key(parts[1], parts[0]), true
	}
	return Key{}, false
}

func (w *World) databaseNeeds(o *Object) []Key {
	keys := secretsIn(o, o.In("spec", "superuserSecret"), o.In("spec", "bootstrap", "initdb", "secret"))
	for _, kind := range []Kind{Pod, Claim} {
		for _, p := range w.inNamespace(kind, o.Namespace) {
			if p.Label("cnpg.io/cluster") == o.Name {
				keys = append(keys, p.Key)
			}
		}
	}
	return keys
}

func routeNeeds(o *Object) []Key {
	var keys []Key
	for _, p := range o.List("spec", "parentRefs") {
		keys = append(keys, o.Names(Kind{gatewayGroup, cmpKind(p.Text("kind"), Gateway.Name)}, p))
	}
	return append(keys, Backends(o)...)
}

// Backends returns the Services that a route leads to.
func Backends(o *Object) []Key {
	var keys []Key
	for _, rule := range o.List("spec", "rules") {
		for _, b := range rule.List("backendRefs") {
			if cmpKind(b.Text("kind"), Service.Name) == Service.Name && b.Text("name") != "" {
				keys = append(keys, o.Names(Service, b))
			}
		}
	}
	return keys
}
