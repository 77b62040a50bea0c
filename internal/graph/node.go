package graph

import (
	"hearth/internal/domain"
	"hearth/internal/render/desired"
)

// Class groups kinds by what they are in a homelab.
type Class string

// The classes of nodes; their names are part of the JSON interface.
const (
	ClassKustomization  Class = "kustomization"
	ClassRelease        Class = "release"
	ClassSource         Class = "source"
	ClassChart          Class = "chart"
	ClassExternalSecret Class = "externalsecret"
	ClassStore          Class = "store"
	ClassItem           Class = "item"
	ClassSecret         Class = "secret"
	ClassCertificate    Class = "certificate"
	ClassDatabase       Class = "database"
	ClassRoute          Class = "route"
	ClassGateway        Class = "gateway"
	ClassWorkload       Class = "workload"
	ClassImage          Class = "image"
	ClassStorage        Class = "storage"
	ClassService        Class = "service"
	ClassOther          Class = "other"
)

// Kinds of nodes that are no objects of the API.
const (
	KindChart = "Chart"
	KindItem  = "Item"
	KindImage = "Image"
)

// classes of the kinds that have one of their own.
var classes = map[kind]Class{
	kustomizationKind:                               ClassKustomization,
	releaseKind:                                     ClassRelease,
	{sourceGroup, "GitRepository"}:                  ClassSource,
	{sourceGroup, "OCIRepository"}:                  ClassSource,
	{sourceGroup, "HelmRepository"}:                 ClassSource,
	{sourceGroup, "HelmChart"}:                      ClassSource,
	{sourceGroup, "Bucket"}:                         ClassSource,
	externalSecretKind:                              ClassExternalSecret,
	{externalSecretsGroup, "ClusterExternalSecret"}: ClassExternalSecret,
	pushSecretKind:                                  ClassExternalSecret,
	clusterPushSecretKind:                           ClassExternalSecret,
	{externalSecretsGroup, "SecretStore"}:           ClassStore,
	{externalSecretsGroup, "ClusterSecretStore"}:    ClassStore,
	secretKind:                                      ClassSecret,
	{"bitnami.com", "SealedSecret"}:                 ClassExternalSecret,
	{"isindir.github.com", "SopsSecret"}:            ClassExternalSecret,
	{certManagerGroup, "Certificate"}:               ClassCertificate,
	{certManagerGroup, "Issuer"}:                    ClassCertificate,
	{certManagerGroup, "ClusterIssuer"}:             ClassCertificate,
	{postgresGroup, "Pooler"}:                       ClassDatabase,
	{barmanGroup, "ObjectStore"}:                    ClassStorage,
	ingressKind:                                     ClassRoute,
	gatewayKind:                                     ClassGateway,
	gatewayClassKind:                                ClassGateway,
	ingressClassKind:                                ClassGateway,
	claimKind:                                       ClassStorage,
	volumeKind:                                      ClassStorage,
	storageClassKind:                                ClassStorage,
	{rookGroup, "CephCluster"}:                      ClassStorage,
	{rookGroup, "CephBlockPool"}:                    ClassStorage,
	{rookGroup, "CephFilesystem"}:                   ClassStorage,
	{rookGroup, "CephObjectStore"}:                  ClassStorage,
	serviceKind:                                     ClassService,
}

func classOf(k kind) Class {
	switch {
	case classes[k] != "":
		return classes[k]
	case databaseKinds[k]:
		return ClassDatabase
	case routeKinds[k]:
		return ClassRoute
	case podPaths[k] != nil:
		return ClassWorkload
	}
	return ClassOther
}

// Node is something in a cluster that others depend on, or that depends on
// others: an object, or a chart, an image or an item of a vault.
type Node struct {
	// ID is KIND/NAMESPACE/NAME, or KIND/NAME without a namespace; where kinds
	// of two groups are called alike, the later one's has its group after a dot.
	ID    string
	Class Class
	Ref   domain.Ref
	Group string
	// Object is nil for what does not stand in the tree and no chart renders.
	Object *desired.Object
	// Kustomization applies it, or the release that renders it; nil where none does.
	Kustomization *desired.Kustomization
	// Missing says that surely nothing makes it.
	Missing bool
	// Doubt says why it may exist although nothing is known to make it.
	Doubt string

	// owner renders, applies or makes it.
	owner *Node
	index int
}

func (n *Node) kind() kind { return kind{n.Group, n.Ref.Kind} }

// Place is where it stands; unknown for what does not stand in the tree.
func (n *Node) Place() domain.Place {
	if n.Object == nil {
		return domain.Place{}
	}
	return n.Object.Place()
}

// EdgeKind says in which way one node needs another.
type EdgeKind string

// The kinds of edges; their names are part of the JSON interface.
const (
	EdgeDependsOn EdgeKind = "depends-on" // dependsOn of Flux
	EdgeApplies   EdgeKind = "applies"    // a Kustomization applies it
	EdgeRenders   EdgeKind = "renders"    // a release renders it, or its operator makes it
	EdgeHealth    EdgeKind = "health"     // Flux or Helm waits for its health
	EdgeSource    EdgeKind = "source"
	EdgeChart     EdgeKind = "chart"
	EdgeSecret    EdgeKind = "secret"
	EdgeConfig    EdgeKind = "config"
	EdgeStore     EdgeKind = "store"
	EdgeItem      EdgeKind = "item"
	EdgeDatabase  EdgeKind = "database"
	EdgeRoute     EdgeKind = "route"
	EdgeBackend   EdgeKind = "backend"
	EdgeGateway   EdgeKind = "gateway"
	EdgeImage     EdgeKind = "image"
	EdgeStorage   EdgeKind = "storage"
	EdgeCRD       EdgeKind = "crd" // defines its kind, and mostly acts on it
	EdgeUses      EdgeKind = "uses"
)

// Edge says that From needs To.
type Edge struct {
	From, To *Node
	Kind     EdgeKind
	// Why says what for, so that "From Why To" reads as a sentence.
	Why string
	// Hard says that From does not work, or is not applied, without To.
	Hard bool

	// object and path are what names To.
	object *desired.Object
	path   []string
	// fromStart says that From is not even applied without To; toStart that
	// it is enough for To to be applied.
	fromStart, toStart bool
}

// Place is where To is named; where From stands if no field names it.
func (e *Edge) Place() domain.Place {
	if e.object == nil {
		return e.From.Place()
	}
	return e.object.Place(e.path...)
}
