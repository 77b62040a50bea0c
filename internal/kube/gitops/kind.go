package gitops

import (
	"slices"
	"strings"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	esv1 "hearth/internal/api/externalsecrets/v1"
)

// Kind is a kind of object.
type Kind struct {
	schema.GroupVersionKind
	// Names are those that people type beside the kind itself: its plural and
	// its short names, in lower case.
	Names []string
	// Ask says how its reconciler is asked; the zero value where none listens.
	Ask Ask
	// Pause says how its reconciler is told to leave an object alone; the zero
	// value where it cannot be.
	Pause Pause
	// Stores says that its objects hold artifacts.
	Stores bool
	// ClusterScoped says that its objects are in no namespace.
	ClusterScoped bool
}

// Ask is how a reconciler is asked to act at once.
type Ask string

// The ways to ask.
const (
	// AskFlux is the annotation that all of Flux's reconcilers answer in
	// status.lastHandledReconcileAt.
	AskFlux Ask = "flux"
	// AskExternalSecrets is an annotation that changes: that alone makes
	// External Secrets read the vault again.
	AskExternalSecrets Ask = "external-secrets"
)

// Pause is how an object is suspended.
type Pause string

// The ways to suspend.
const (
	// PauseSpec is spec.suspend.
	PauseSpec Pause = "spec.suspend"
	// PauseAnnotation is flux-operator's annotation.
	PauseAnnotation Pause = "annotation"
)

const (
	groupImage      = "image.toolkit.fluxcd.io"
	groupGenerator  = "source.extensions.fluxcd.io"
	groupOperator   = "fluxcd.controlplane.io"
	groupExternalV1 = "external-secrets.io"
)

// Kinds are those by which a cluster follows Git, from the source to what
// tells of it.
var Kinds = []Kind{
	flux(sourcev1.GroupVersion.WithKind(sourcev1.GitRepositoryKind), "gitrepositories", "gitrepo").storing(),
	flux(sourcev1.GroupVersion.WithKind(sourcev1.OCIRepositoryKind), "ocirepositories", "ocirepo").storing(),
	flux(sourcev1.GroupVersion.WithKind(sourcev1.HelmRepositoryKind), "helmrepositories", "helmrepo").storing(),
	flux(sourcev1.GroupVersion.WithKind(sourcev1.HelmChartKind), "helmcharts", "hc").storing(),
	flux(sourcev1.GroupVersion.WithKind(sourcev1.BucketKind), "buckets").storing(),
	{GroupVersionKind: sourcev1.GroupVersion.WithKind(sourcev1.ExternalArtifactKind), Names: []string{"externalartifacts", "ea"}, Stores: true},
	operator(groupGenerator, "v1beta1", "ArtifactGenerator", "artifactgenerators", "ag"),
	operator(groupOperator, "v1", "FluxInstance", "fluxinstances", "instance"),
	operator(groupOperator, "v1", "ResourceSetInputProvider", "resourcesetinputproviders", "rsip", "inputprovider"),
	operator(groupOperator, "v1", "ResourceSet", "resourcesets", "rset"),
	flux(kustomizev1.GroupVersion.WithKind(kustomizev1.KustomizationKind), "kustomizations", "ks"),
	flux(helmv2.GroupVersion.WithKind(helmv2.HelmReleaseKind), "helmreleases", "hr"),
	secrets(esv1.SecretStoreKind, false, "secretstores", "ss"),
	secrets(esv1.ClusterSecretStoreKind, true, "clustersecretstores", "css"),
	secrets("ExternalSecret", false, "externalsecrets", "es"),
	secrets("ClusterExternalSecret", true, "clusterexternalsecrets", "ces"),
	{
		GroupVersionKind: schema.GroupVersionKind{Group: groupExternalV1, Version: "v1alpha1", Kind: "PushSecret"},
		Names:            []string{"pushsecrets", "ps"}, Ask: AskExternalSecrets,
	},
	{
		GroupVersionKind: schema.GroupVersionKind{Group: groupExternalV1, Version: "v1alpha1", Kind: "ClusterPushSecret"},
		Names:            []string{"clusterpushsecrets"}, Ask: AskExternalSecrets, ClusterScoped: true,
	},
	flux(notificationv1.GroupVersion.WithKind(notificationv1.ReceiverKind), "receivers"),
	told(notificationv1beta3.ProviderKind, "providers", "alert-provider", "alert-providers"),
	told(notificationv1beta3.AlertKind, "alerts"),
	flux(schema.GroupVersionKind{Group: groupImage, Version: "v1", Kind: "ImageRepository"}, "imagerepositories", "imagerepo"),
	flux(schema.GroupVersionKind{Group: groupImage, Version: "v1", Kind: "ImagePolicy"}, "imagepolicies", "imgpol", "imagepol"),
	flux(schema.GroupVersionKind{Group: groupImage, Version: "v1", Kind: "ImageUpdateAutomation"}, "imageupdateautomations", "iua", "imgupd", "imgauto"),
}

func flux(gvk schema.GroupVersionKind, names ...string) Kind {
	return Kind{GroupVersionKind: gvk, Names: names, Ask: AskFlux, Pause: PauseSpec}
}

func (k Kind) storing() Kind {
	k.Stores = true
	return k
}

// operator is a kind of flux-operator or of one that keeps its ways.
func operator(group, version, kind string, names ...string) Kind {
	return Kind{
		GroupVersionKind: schema.GroupVersionKind{Group: group, Version: version, Kind: kind},
		Names:            names, Ask: AskFlux, Pause: PauseAnnotation,
	}
}

func secrets(kind string, clusterScoped bool, names ...string) Kind {
	return Kind{GroupVersionKind: esv1.GroupVersion.WithKind(kind), Names: names, Ask: AskExternalSecrets, ClusterScoped: clusterScoped}
}

// told is a kind that only says whom to tell what: nothing reconciles it.
func told(kind string, names ...string) Kind {
	return Kind{GroupVersionKind: notificationv1beta3.GroupVersion.WithKind(kind), Names: names, Pause: PauseSpec}
}

// ParseKind returns the kind of Kinds that goes by a name, in any case, with
// or without its group behind it.
func ParseKind(name string) (Kind, bool) {
	bare, group, _ := strings.Cut(strings.ToLower(name), ".")
	i := slices.IndexFunc(Kinds, func(k Kind) bool {
		return (strings.ToLower(k.Kind) == bare || slices.Contains(k.Names, bare)) && (group == "" || group == k.Group)
	})
	if i < 0 {
		return Kind{}, false
	}
	return Kinds[i], true
}

// Known returns the kind of Kinds that an object is of.
func Known(gk schema.GroupKind) (Kind, bool) {
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.GroupKind() == gk })
	if i < 0 {
		return Kind{}, false
	}
	return Kinds[i], true
}
