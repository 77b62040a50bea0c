package graph

import "strings"

// clusterScoped are kinds without a namespace. Definitions in the tree add
// more; see [Graph.isClusterScoped].
var clusterScoped = map[kind]bool{
	{"", "Namespace"}:                     true,
	{"", "Node"}:                          true,
	{"", "PersistentVolume"}:              true,
	{"admissionregistration.k8s.io", "*"}: true,
	{"apiextensions.k8s.io", "CustomResourceDefinition"}:         true,
	{"apiregistration.k8s.io", "APIService"}:                     true,
	{"certificates.k8s.io", "*"}:                                 true,
	{"flowcontrol.apiserver.k8s.io", "*"}:                        true,
	{"networking.k8s.io", "IngressClass"}:                        true,
	{"node.k8s.io", "RuntimeClass"}:                              true,
	{"rbac.authorization.k8s.io", "ClusterRole"}:                 true,
	{"rbac.authorization.k8s.io", "ClusterRoleBinding"}:          true,
	{"resource.k8s.io", "DeviceClass"}:                           true,
	{"scheduling.k8s.io", "PriorityClass"}:                       true,
	{"snapshot.storage.k8s.io", "VolumeSnapshotClass"}:           true,
	{"snapshot.storage.k8s.io", "VolumeSnapshotContent"}:         true,
	{"storage.k8s.io", "StorageClass"}:                           true,
	{"storage.k8s.io", "CSIDriver"}:                              true,
	{"storage.k8s.io", "CSINode"}:                                true,
	{"storage.k8s.io", "VolumeAttachment"}:                       true,
	{"storage.k8s.io", "VolumeAttributesClass"}:                  true,
	{"gateway.networking.k8s.io", "GatewayClass"}:                true,
	{"external-secrets.io", "ClusterSecretStore"}:                true,
	{"external-secrets.io", "ClusterExternalSecret"}:             true,
	{"external-secrets.io", "ClusterPushSecret"}:                 true,
	{"generators.external-secrets.io", "ClusterGenerator"}:       true,
	{"cert-manager.io", "ClusterIssuer"}:                         true,
	{"trust.cert-manager.io", "Bundle"}:                          true,
	{"postgresql.cnpg.io", "ClusterImageCatalog"}:                true,
	{"keda.sh", "ClusterTriggerAuthentication"}:                  true,
	{"kyverno.io", "ClusterPolicy"}:                              true,
	{"cilium.io", "CiliumClusterwideNetworkPolicy"}:              true,
	{"nfd.k8s-sigs.io", "NodeFeatureRule"}:                       true,
	{"objectbucket.io", "ObjectBucket"}:                          true,
	{"isindir.github.com", "ClusterSopsSecret"}:                  true,
	{"karpenter.sh", "*"}:                                        true,
	{"groupsnapshot.storage.k8s.io", "VolumeGroupSnapshotClass"}: true,
	{"policy.networking.k8s.io", "*"}:                            true,
	{"internal.apiserver.k8s.io", "*"}:                           true,
	{"authentication.k8s.io", "*"}:                               true,
	{"cilium.io", "CiliumLoadBalancerIPPool"}:                    true,
	{"cilium.io", "CiliumBGPClusterConfig"}:                      true,
	{"cilium.io", "CiliumBGPPeerConfig"}:                         true,
	{"cilium.io", "CiliumBGPAdvertisement"}:                      true,
	{"cilium.io", "CiliumL2AnnouncementPolicy"}:                  true,
	{"cilium.io", "CiliumBGPNodeConfigOverride"}:                 true,
}

// isClusterScoped tells from the table alone whether objects of a kind have no
// namespace.
func isClusterScoped(k kind) bool {
	if scoped, known := clusterScoped[k]; known {
		return scoped
	}
	return clusterScoped[kind{k.group, "*"}]
}

// isClusterScoped knows the definitions in the tree as well.
func (g *Graph) isClusterScoped(k kind) bool {
	if scoped, known := g.scopes[k]; known {
		return scoped
	}
	return isClusterScoped(k)
}

// namespaceFor returns the namespace of an object of a kind: none where it is
// cluster-scoped, whatever is written.
func (g *Graph) namespaceFor(k kind, namespace string) string {
	if g.isClusterScoped(k) {
		return ""
	}
	return strings.TrimSpace(namespace)
}
