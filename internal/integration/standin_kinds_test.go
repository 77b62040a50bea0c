package integration_test

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"hearth/internal/kube/crds"
	"hearth/internal/standin/operator"
)

// customKinds are kinds of operators whose charts the tests do not have. Those
// that are assumed are played without their operator's pods.
func customKinds() []*apiextensionsv1.CustomResourceDefinition {
	var list []*apiextensionsv1.CustomResourceDefinition
	for _, k := range []struct {
		group, version string
		assumed        bool
		kinds          []string
	}{
		{"postgresql.cnpg.io", "v1", true, []string{"Cluster", "Database", "Pooler", "Backup", "ScheduledBackup"}},
		{"cert-manager.io", "v1", true, []string{"Certificate", "CertificateRequest", "Issuer", "ClusterIssuer"}},
		{"acme.cert-manager.io", "v1", true, []string{"Order", "Challenge"}},
		{"volsync.backube", "v1alpha1", true, []string{"ReplicationSource", "ReplicationDestination"}},
		{"snapshot.storage.k8s.io", "v1", true, []string{"VolumeSnapshot", "VolumeSnapshotContent", "VolumeSnapshotClass"}},
		{"keda.sh", "v1alpha1", true, []string{"ScaledObject"}},
		{"dragonflydb.io", "v1alpha1", false, []string{"Dragonfly"}},
		{"stand.example.org", "v1", false, []string{"Unheard", "Configuration"}},
	} {
		for _, kind := range k.kinds {
			plural, namespaced := crds.Names(k.group, kind)
			crd := crds.Permissive(k.group, k.version, kind, plural, namespaced)
			if crd.Annotations == nil {
				crd.Annotations = map[string]string{}
			}
			if k.assumed {
				crd.Annotations[operator.AnnotationAssumed] = "true"
			}
			list = append(list, crd)
		}
	}
	return list
}
