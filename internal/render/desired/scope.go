package desired

import (
	"path"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// clusterScopedKinds are the kinds of Kubernetes and of common operators that
// live outside of namespaces. A chart's object of another kind is taken to live
// in the release's namespace.
var clusterScopedKinds = map[schema.GroupKind]bool{
	{Kind: "Namespace"}: true, {Kind: "Node"}: true, {Kind: "PersistentVolume"}: true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:                         true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:                  true,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:                 true,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:                             true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}:   true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:     true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"}:        true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicy"}:          true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicyBinding"}:   true,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                                   true,
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                                      true,
	{Group: "storage.k8s.io", Kind: "VolumeAttachment"}:                               true,
	{Group: "snapshot.storage.k8s.io", Kind: "VolumeSnapshotClass"}:                   true,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:                               true,
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                                      true,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                                true,
	{Group: "gateway.networking.k8s.io", Kind: "GatewayClass"}:                        true,
	{Group: "cert-manager.io", Kind: "ClusterIssuer"}:                                 true,
	{Group: "external-secrets.io", Kind: "ClusterSecretStore"}:                        true,
	{Group: "external-secrets.io", Kind: "ClusterExternalSecret"}:                     true,
	{Group: "external-secrets.io", Kind: "ClusterPushSecret"}:                         true,
	{Group: "resource.k8s.io", Kind: "DeviceClass"}:                                   true,
	{Group: "cilium.io", Kind: "CiliumLoadBalancerIPPool"}:                            true,
	{Group: "cilium.io", Kind: "CiliumClusterwideNetworkPolicy"}:                      true,
	{Group: "postgresql.cnpg.io", Kind: "ClusterImageCatalog"}:                        true,
	{Group: "certificates.k8s.io", Kind: "CertificateSigningRequest"}:                 true,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "FlowSchema"}:                       true,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "PriorityLevelConfiguration"}:       true,
}

func clusterScoped(kind schema.GroupKind) bool { return clusterScopedKinds[kind] }

func joinFile(from, file string) string { return path.Join(path.Dir(from), file) }
