// Package postgres plays CloudNativePG: Clusters with their instances, PVCs,
// Services and Secrets, Databases, Poolers, Backups and ScheduledBackups.
//
// It promises what the clients of a database and health checks rely on: the
// phases and conditions of a Cluster, instances that are pods with volumes of
// their own, which come up one after the other and carry the labels by which
// the -rw, -ro and -r Services select them; credentials in the documented
// keys; scaling up and down; and a failover to a ready replica when the
// primary's pod is lost. A Cluster whose bootstrap or superuser Secret is
// missing stays where it is until that is there.
//
// No database runs in the pods. The Jobs that initialise an instance, image
// catalogs of the cluster's own choosing, hibernation, replica clusters and
// major upgrades are not played.
package postgres

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/standin/certificate"
	"hearth/internal/standin/operator"
)

const (
	group   = "postgresql.cnpg.io"
	version = "v1"
	// component is who CloudNativePG's events come from.
	component = "cloudnative-pg"
)

var (
	clusterKind = schema.GroupVersionKind{Group: group, Version: version, Kind: "Cluster"}
	backupKind  = schema.GroupVersionKind{Group: group, Version: version, Kind: "Backup"}
	secretKind  = corev1.SchemeGroupVersion.WithKind("Secret")
	podKind     = corev1.SchemeGroupVersion.WithKind("Pod")
	claimKind   = corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim")
)

// player plays CloudNativePG.
type player struct{ authority *certificate.Authority }

// Setup registers the stand-in with the manager.
func Setup(mgr manager.Manager, o operator.Options) error {
	authority, err := certificate.NewAuthority()
	if err != nil {
		return fmt.Errorf("make an authority for databases: %w", err)
	}
	p := &player{authority}
	return operator.Setup(mgr, o, operator.Part{
		Name: "postgres", Plays: plays, See: p.see,
		Follows: []schema.GroupVersionKind{secretKind, podKind, claimKind, appsv1.SchemeGroupVersion.WithKind("Deployment")},
	})
}

func plays(crd *apiextensionsv1.CustomResourceDefinition, _ *apiextensionsv1.CustomResourceDefinitionVersion) *operator.Role {
	if crd.Spec.Group != group {
		return nil
	}
	switch crd.Spec.Names.Kind {
	case "Cluster", "Database", "Pooler", "Backup", "ScheduledBackup":
		return &operator.Role{Operator: "CloudNativePG", Pods: operator.Named("cloudnative-pg"), Images: []string{"cloudnative-pg"}}
	}
	return nil
}

func (p *player) see(ctx context.Context, v *operator.Visit) (reconcile.Result, error) {
	switch v.Object.GetKind() {
	case "Cluster":
		return p.seeCluster(ctx, v)
	case "Database":
		return reconcile.Result{}, seeDatabase(ctx, v)
	case "Pooler":
		return reconcile.Result{}, seePooler(ctx, v)
	case "Backup":
		return seeBackup(ctx, v)
	}
	return seeSchedule(ctx, v)
}

// convert reads unstructured content.
func convert[T any](content any) (T, error) {
	var out T
	m, _ := content.(map[string]any)
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(m, &out)
	return out, err
}

// unstruct turns a typed object into an unstructured one.
func unstruct(obj any, gvk schema.GroupVersionKind) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	delete(content, "status")
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(gvk)
	return u, nil
}
