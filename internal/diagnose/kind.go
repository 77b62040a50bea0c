package diagnose

// Kind is a kind of object, whatever its version.
type Kind struct{ Group, Name string }

// Key returns the key of an object of the kind.
func (k Kind) Key(namespace, name string) Key {
	return Key{Group: k.Group, Kind: k.Name, Namespace: namespace, Name: name}
}

// The groups of more than one kind.
const (
	sourceGroup  = "source.toolkit.fluxcd.io"
	gatewayGroup = "gateway.networking.k8s.io"
	secretsGroup = "external-secrets.io"
	certGroup    = "cert-manager.io"
)

// The kinds that causes are found in.
var (
	Pod                = Kind{"", "Pod"}
	Node               = Kind{"", "Node"}
	Namespace          = Kind{"", "Namespace"}
	Service            = Kind{"", "Service"}
	Secret             = Kind{"", "Secret"}
	ConfigMap          = Kind{"", "ConfigMap"}
	Claim              = Kind{"", "PersistentVolumeClaim"}
	Volume             = Kind{"", "PersistentVolume"}
	StorageClass       = Kind{"storage.k8s.io", "StorageClass"}
	Deployment         = Kind{"apps", "Deployment"}
	StatefulSet        = Kind{"apps", "StatefulSet"}
	DaemonSet          = Kind{"apps", "DaemonSet"}
	ReplicaSet         = Kind{"apps", "ReplicaSet"}
	Job                = Kind{"batch", "Job"}
	CronJob            = Kind{"batch", "CronJob"}
	Kustomization      = Kind{"kustomize.toolkit.fluxcd.io", "Kustomization"}
	HelmRelease        = Kind{"helm.toolkit.fluxcd.io", "HelmRelease"}
	GitRepository      = Kind{sourceGroup, "GitRepository"}
	OCIRepository      = Kind{sourceGroup, "OCIRepository"}
	HelmRepository     = Kind{sourceGroup, "HelmRepository"}
	HelmChart          = Kind{sourceGroup, "HelmChart"}
	Bucket             = Kind{sourceGroup, "Bucket"}
	ExternalSecret     = Kind{secretsGroup, "ExternalSecret"}
	SecretStore        = Kind{secretsGroup, "SecretStore"}
	ClusterSecretStore = Kind{secretsGroup, "ClusterSecretStore"}
	GatewayClass       = Kind{gatewayGroup, "GatewayClass"}
	Gateway            = Kind{gatewayGroup, "Gateway"}
	HTTPRoute          = Kind{gatewayGroup, "HTTPRoute"}
	Certificate        = Kind{certGroup, "Certificate"}
	CertificateRequest = Kind{certGroup, "CertificateRequest"}
	Issuer             = Kind{certGroup, "Issuer"}
	ClusterIssuer      = Kind{certGroup, "ClusterIssuer"}
	Order              = Kind{"acme.cert-manager.io", "Order"}
	Challenge          = Kind{"acme.cert-manager.io", "Challenge"}
	Database           = Kind{"postgresql.cnpg.io", "Cluster"}
	DNSEndpoint        = Kind{"externaldns.k8s.io", "DNSEndpoint"}
	Definition         = Kind{"apiextensions.k8s.io", "CustomResourceDefinition"}
	APIService         = Kind{"apiregistration.k8s.io", "APIService"}
	ValidatingWebhooks = Kind{"admissionregistration.k8s.io", "ValidatingWebhookConfiguration"}
	MutatingWebhooks   = Kind{"admissionregistration.k8s.io", "MutatingWebhookConfiguration"}
)

// Kinds are those that are read of a cluster.
var Kinds = []Kind{
	Pod, Node, Namespace, Service, Secret, ConfigMap, Claim, Volume, StorageClass,
	Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob,
	Kustomization, HelmRelease, GitRepository, OCIRepository, HelmRepository, HelmChart, Bucket,
	ExternalSecret, SecretStore, ClusterSecretStore,
	GatewayClass, Gateway, HTTPRoute,
	Certificate, CertificateRequest, Issuer, ClusterIssuer, Order, Challenge,
	Database, DNSEndpoint, Definition, APIService, ValidatingWebhooks, MutatingWebhooks,
}

// Sources are the kinds that artifacts come from.
var Sources = []Kind{GitRepository, OCIRepository, HelmRepository, HelmChart, Bucket}

// Workloads are the built-in kinds that run pods by a specification in Git.
var Workloads = []Kind{Deployment, StatefulSet, DaemonSet, Job, CronJob}

// MarksOnly reports whether only names, labels, annotations and owners of a
// kind are looked at.
func (k Kind) MarksOnly() bool {
	return k == Secret || k == ConfigMap || k == ReplicaSet || k == Definition
}

// clusterScoped are the kinds that live in no namespace.
var clusterScoped = map[Kind]bool{
	Node: true, Namespace: true, Volume: true, StorageClass: true, ClusterSecretStore: true, GatewayClass: true,
	ClusterIssuer: true, Definition: true, APIService: true, ValidatingWebhooks: true, MutatingWebhooks: true,
}
