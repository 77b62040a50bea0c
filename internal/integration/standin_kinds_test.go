package integration_test

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"hearth/internal/kube/crds"
)

// customKinds are kinds of operators whose charts the tests do not have.
func customKinds() []*apiextensionsv1.CustomResourceDefinition {
	var list []*apiextensionsv1.CustomResourceDefinition
	for _, k := range []struct{ group, version, kind string }{
		{"postgresql.cnpg.io", "v1", "Cluster"},
		{"cert-manager.io", "v1", "Certificate"},
		{"stand.example.org", "v1", "Unheard"},
		{"stand.example.org", "v1", "Configuration"},
	} {
		plural, namespaced := crds.Names(k.group, k.kind)
		list = append(list, crds.Permissive(k.group, k.version, k.kind, plural, namespaced))
	}
	return list
}
