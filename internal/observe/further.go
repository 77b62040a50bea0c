package observe

import (
	"slices"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/domain"
	"hearth/internal/kube/gitops"
	"hearth/internal/kube/objects"
)

var (
	gatewayKind = schema.GroupVersionKind{Group: gatewayv1.GroupName, Version: "v1", Kind: "Gateway"}
	claimKind   = corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim")
	nodeKind    = corev1.SchemeGroupVersion.WithKind("Node")
)

// sourceKinds are Flux's sources.
var sourceKinds = []schema.GroupVersionKind{
	sourcev1.GroupVersion.WithKind(sourcev1.GitRepositoryKind), sourcev1.GroupVersion.WithKind(sourcev1.OCIRepositoryKind),
	sourcev1.GroupVersion.WithKind(sourcev1.HelmRepositoryKind), sourcev1.GroupVersion.WithKind(sourcev1.HelmChartKind),
	sourcev1.GroupVersion.WithKind(sourcev1.BucketKind),
}

// databaseKinds are those of databases in the versions in which their
// operators serve them.
var databaseKinds = []schema.GroupVersionKind{
	{Group: groupPostgres, Version: "v1", Kind: "Cluster"},
	{Group: "k8s.mariadb.com", Version: "v1alpha1", Kind: "MariaDB"},
	{Group: "acid.zalan.do", Version: "v1", Kind: "postgresql"},
	{Group: "postgres-operator.crunchydata.com", Version: "v1beta1", Kind: "PostgresCluster"},
	{Group: "mysql.oracle.com", Version: "v2", Kind: "InnoDBCluster"},
	{Group: "mongodbcommunity.mongodb.com", Version: "v1", Kind: "MongoDBCommunity"},
	{Group: "psmdb.percona.com", Version: "v1", Kind: "PerconaServerMongoDB"},
	{Group: "pxc.percona.com", Version: "v1", Kind: "PerconaXtraDBCluster"},
	{Group: "pgv2.percona.com", Version: "v2", Kind: "PerconaPGCluster"},
	{Group: "rabbitmq.com", Version: "v1beta1", Kind: "RabbitmqCluster"},
	{Group: "clickhouse.altinity.com", Version: "v1", Kind: "ClickHouseInstallation"},
	{Group: "elasticsearch.k8s.elastic.co", Version: "v1", Kind: "Elasticsearch"},
}

// FurtherKinds are what applications stand on: they are observed by who asks
// for them, beside the kinds that the model draws.
var FurtherKinds = slices.Concat(
	[]schema.GroupVersionKind{gatewayKind, claimKind, certificateKind, nodeKind}, sourceKinds, databaseKinds)

var furtherKinds = func() map[schema.GroupVersionKind]bool {
	set := map[schema.GroupVersionKind]bool{}
	for _, k := range FurtherKinds {
		set[k] = true
	}
	return set
}()

// further tells whether a kind is one of those beside the model's own.
func further(kind schema.GroupVersionKind) bool { return furtherKinds[kind] }

// furtherState derives the state of an object of one of the further kinds.
func furtherState(kind schema.GroupKind, obj client.Object) (s Standing, ok bool) {
	switch {
	case kind == gatewayKind.GroupKind():
		if g, ok := typed[gatewayv1.Gateway](obj); ok {
			return GatewayState(g), true
		}
	case kind == claimKind.GroupKind():
		if c, ok := typed[corev1.PersistentVolumeClaim](obj); ok {
			return ClaimState(c), true
		}
	case kind == nodeKind.GroupKind():
		if n, ok := typed[corev1.Node](obj); ok {
			return NodeState(n), true
		}
	case kind == certificateKind.GroupKind():
		c := new(Certificate)
		if u, ok := obj.(*unstructured.Unstructured); ok && readInto(u, c) == nil {
			return CertificateState(c), true
		}
	case isDatabase(kind):
		if u, ok := obj.(*unstructured.Unstructured); ok {
			return DatabaseState(u), true
		}
	}
	return Standing{}, false
}

// sourceState derives the state of a source, which Flux's sources tell alike.
func sourceState(kind schema.GroupVersionKind, obj client.Object) (s Standing, suspended, ok bool) {
	known, isKnown := gitops.Known(kind.GroupKind())
	u, err := objects.ToUnstructured(obj, kind)
	if err != nil || !isKnown {
		return Standing{}, false, false
	}
	return followerState(u, known), gitops.Object{Unstructured: u, Kind: known}.Suspended(), true
}

// isSource reports whether a kind is one of Flux's sources.
func isSource(k schema.GroupKind) bool {
	return slices.ContainsFunc(sourceKinds, func(s schema.GroupVersionKind) bool { return s.GroupKind() == k })
}

// readInto reads the part of an object that a type names.
func readInto(obj *unstructured.Unstructured, into any) error {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, into)
}

// DomainKind names an object's kind as the domain does: Database and Source stand
// for several kinds.
func DomainKind(kind string) string {
	if m, ok := domain.MachineFor(kind); ok {
		return m.Kind
	}
	return kind
}
