package crds

import "strings"

// groupKind names a kind regardless of its version.
type groupKind struct{ group, kind string }

// irregular are plurals that no rule of grammar gives.
var irregular = map[groupKind]string{
	{"k8s.cni.cncf.io", "NetworkAttachmentDefinition"}:   "network-attachment-definitions",
	{"mongodbcommunity.mongodb.com", "MongoDBCommunity"}: "mongodbcommunity",
	{"redis.redis.opstreelabs.in", "Redis"}:              "redis",
	{"metrics.k8s.io", "NodeMetrics"}:                    "nodes",
	{"metrics.k8s.io", "PodMetrics"}:                     "pods",
}

// clusterScoped are kinds of well-known operators that live outside of
// namespaces, other than those whose name begins with Cluster.
var clusterScoped = map[groupKind]bool{}

func init() {
	for group, kinds := range map[string]string{
		"cilium.io":                    "CiliumBGPAdvertisement CiliumBGPClusterConfig CiliumBGPNodeConfig CiliumBGPNodeConfigOverride CiliumBGPPeerConfig CiliumBGPPeeringPolicy CiliumCIDRGroup CiliumClusterwideEnvoyConfig CiliumClusterwideNetworkPolicy CiliumEgressGatewayPolicy CiliumExternalWorkload CiliumIdentity CiliumL2AnnouncementPolicy CiliumLoadBalancerIPPool CiliumNode CiliumPodIPPool",
		"snapshot.storage.k8s.io":      "VolumeSnapshotClass VolumeSnapshotContent",
		"groupsnapshot.storage.k8s.io": "VolumeGroupSnapshotClass VolumeGroupSnapshotContent",
		"gateway.networking.k8s.io":    "GatewayClass",
		"gateway.networking.x-k8s.io":  "XMesh",
		"nfd.k8s-sigs.io":              "NodeFeatureRule NodeFeatureGroup",
		"deviceplugin.intel.com":       "DlbDevicePlugin DsaDevicePlugin FpgaDevicePlugin GpuDevicePlugin IaaDevicePlugin NpuDevicePlugin QatDevicePlugin SgxDevicePlugin",
		"tuppr.home-operations.com":    "KubernetesUpgrade TalosUpgrade",
		"karpenter.sh":                 "NodeClaim NodePool",
		"crd.projectcalico.org":        "BGPConfiguration BGPFilter BGPPeer BlockAffinity CalicoNodeStatus FelixConfiguration GlobalNetworkPolicy GlobalNetworkSet HostEndpoint IPAMBlock IPAMConfig IPAMHandle IPPool IPReservation KubeControllersConfiguration Tier",
		"operator.tigera.io":           "APIServer Goldmane ImageSet Installation TigeraStatus Whisker",
		"objectbucket.io":              "ObjectBucket",
		"tailscale.com":                "Connector DNSConfig ProxyClass ProxyGroup Recorder Tailnet",
		"trust.cert-manager.io":        "Bundle",
		"policy.networking.k8s.io":     "AdminNetworkPolicy BaselineAdminNetworkPolicy",
		"nvidia.com":                   "ClusterPolicy NVIDIADriver",
		"kyverno.io":                   "ClusterPolicy ClusterCleanupPolicy GlobalContextEntry",
		"policies.kyverno.io":          "DeletingPolicy GeneratingPolicy ImageValidatingPolicy MutatingPolicy ValidatingPolicy",
	} {
		for kind := range strings.FieldsSeq(kinds) {
			clusterScoped[groupKind{group, kind}] = true
		}
	}
}

// namespacedClusters are kinds named after a cluster of their own, which live
// in a namespace all the same.
var namespacedClusters = map[groupKind]bool{
	{"cluster.x-k8s.io", "ClusterResourceSet"}: true,
	{"cluster.x-k8s.io", "ClusterClass"}:       true,
}

// Names gives the plural of a kind, by which its definition and its URLs are
// named, and whether its objects live in namespaces. For kinds it knows it is
// exact; for others it follows the rules by which nearly all are named.
func Names(group, kind string) (plural string, namespaced bool) {
	gk := groupKind{group, kind}
	plural, known := irregular[gk]
	if !known {
		plural = pluralize(strings.ToLower(kind))
	}
	return plural, !clusterScoped[gk] && !clusterByName(gk)
}

// clusterByName tells whether a kind is the cluster-wide twin of another, as a
// ClusterIssuer is of an Issuer.
func clusterByName(gk groupKind) bool {
	rest, ok := strings.CutPrefix(gk.kind, "Cluster")
	if !ok || rest == "" || namespacedClusters[gk] {
		return false
	}
	return rest[0] >= 'A' && rest[0] <= 'Z'
}

// pluralize forms the plural of a lower-case English noun.
func pluralize(noun string) string {
	if noun == "" {
		return ""
	}
	for _, ending := range []string{"s", "x", "z", "ch", "sh"} {
		if strings.HasSuffix(noun, ending) {
			return pluralOfHissing(noun)
		}
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok && stem != "" && !strings.ContainsAny(stem[len(stem)-1:], "aeiou") {
		return stem + "ies"
	}
	return noun + "s"
}

// pluralOfHissing forms the plural of a noun that ends in a hissing sound.
// Nouns that are plural as they stand, such as Endpoints, stay.
func pluralOfHissing(noun string) string {
	for _, plural := range []string{"endpoints", "metrics", "settings", "options"} {
		if strings.HasSuffix(noun, plural) {
			return noun
		}
	}
	return noun + "es"
}
