package secrets

import (
	"cmp"
	"fmt"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var secretStore = &rule.Rule{
	Name:     "secret-store",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Every ExternalSecret reads from the store, and the store exists",
	Why: "An ExternalSecret whose store does not exist never syncs, and the pods that need its Secret wait for ever. " +
		"A second store is a second place where secrets are kept, changed and lost.",
	Remedy:  "Name the ClusterSecretStore that the repository uses. If it is not called onepassword-connect, say so with secretStore in .hearth.yaml.",
	Section: "ExternalSecret Specification",
	Bad: "spec:\n" +
		"  secretStoreRef:\n" +
		"    kind: SecretStore\n" +
		"    name: onepassword\n",
	Good: "spec:\n" +
		"  secretStoreRef:\n" +
		"    kind: ClusterSecretStore\n" +
		"    name: onepassword-connect\n",
	Check: func(p *rule.Pass) {
		eachExternal(p, func(e *external) { checkStores(p, e) })
	},
}

// checkStores judges the store of an ExternalSecret, and those that single
// values name instead.
func checkStores(p *rule.Pass, e *external) {
	own := e.typed.SecretStoreRef
	if own.Name != "" {
		checkStore(p, e, own, "secretStoreRef")
	}
	needed := false
	e.sources(func(ref *v1.SourceRef, path []string) {
		switch {
		case ref == nil || ref.SecretStoreRef == nil && ref.GeneratorRef == nil:
			needed = true
		case ref.SecretStoreRef != nil && ref.SecretStoreRef.Name != "":
			checkStore(p, e, *ref.SecretStoreRef, append(path, "storeRef")...)
		}
	})
	if needed && own.Name == "" {
		f := e.finding("secretStoreRef")
		f.Message = fmt.Sprintf("%s names no store to read from, so that it never syncs", e.Ref)
		f.Fix = fmt.Sprintf("set secretStoreRef to the %s %s", p.Config.SecretStore.Kind, p.Config.SecretStore.Name)
		p.Report(f)
	}
}

// checkStore judges one reference to a store.
func checkStore(p *rule.Pass, e *external, ref v1.SecretStoreRef, path ...string) {
	want := p.Config.SecretStore
	kind := cmp.Or(ref.Kind, "SecretStore")
	if e.cluster.State.Unknown(ref.Name) || kind == want.Kind && ref.Name == want.Name && !storeMissing(e, kind, ref.Name) {
		return
	}
	f := e.finding(append(path, "name")...)
	f.Text = ref.Name
	switch {
	case storeMissing(e, kind, ref.Name):
		f.Message = fmt.Sprintf("there is no %s %s%s, so that %s never syncs", kind, ref.Name, hint(e, kind, ref.Name), e.Ref)
	case isOther(p, e, kind, ref.Name):
		f.Message = fmt.Sprintf("%s reads from the %s %s, not from the repository's store, the %s %s", e.Ref, kind, ref.Name, want.Kind, want.Name)
	default:
		return
	}
	f.Fix = fmt.Sprintf("name the %s %s", want.Kind, want.Name)
	p.Report(f)
}

// storeMissing reports whether surely nothing makes a store.
func storeMissing(e *external, kind, name string) bool {
	namespace := e.GetNamespace()
	if kind == "ClusterSecretStore" {
		namespace = ""
	} else if e.GetKind() == "ClusterExternalSecret" {
		return false // it is looked for in each namespace
	}
	if _, known := e.cluster.Graph.Provider(group, kind, namespace, name); known {
		return false
	}
	_, doubt := e.cluster.Graph.DoubtAbout(kind, namespace, name)
	return !doubt
}

// hint says that the other kind of store has the name.
func hint(e *external, kind, name string) string {
	other := "ClusterSecretStore"
	if kind == other {
		other = "SecretStore"
	}
	if findStore(e, other, name) == nil {
		return ""
	}
	return fmt.Sprintf(" (there is a %s of that name)", other)
}

// findStore returns the store that an ExternalSecret means, or nil. The graph
// knows that a ClusterSecretStore lives in no namespace, even where kustomize
// has given it one.
func findStore(e *external, kind, name string) *desired.Object {
	by, _ := e.cluster.Graph.Provider(group, kind, e.GetNamespace(), name)
	if by == nil || by.GetKind() != kind {
		return nil // nothing, or what makes it
	}
	return by
}

// isOther reports whether a store is another one than the repository's, which
// is known where the owner has declared it, or where the cluster holds the
// usual one. A store that only copies Secrets within the cluster is no other
// place to keep them.
func isOther(p *rule.Pass, e *external, kind, name string) bool {
	want := p.Config.SecretStore
	if !p.Config.Declared("secretStore") && findStore(e, want.Kind, want.Name) == nil {
		return false
	}
	store := findStore(e, kind, name)
	if store == nil {
		return true
	}
	spec, _ := store.Object["spec"].(map[string]any)
	provider, _ := spec["provider"].(map[string]any)
	_, copies := provider["kubernetes"]
	return !copies
}
