package fluxinstance

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fluxcdv1 "hearth/internal/api/fluxcd/v1"
	"hearth/internal/engine/fluxoperator"
	"hearth/internal/kube/work"
)

const (
	reportName = "flux"
	// reportInterval is how often a report is looked over without a change.
	reportInterval = 5 * time.Minute
	// reportPause gathers changes, so that a cluster that converges does not
	// report each of them.
	reportPause = 2 * time.Second
)

// reporter keeps the report beside each instance.
type reporter struct {
	o      Options
	client client.Client
	server discovery.ServerVersionInterface
}

// reported are the kinds whose objects are counted.
func reported() []kind {
	return []kind{
		{&fluxcdv1.FluxInstanceList{}, "FluxInstance", fluxcdv1.GroupVersion.String(), &fluxcdv1.FluxInstance{}},
		{&fluxcdv1.ResourceSetList{}, "ResourceSet", fluxcdv1.GroupVersion.String(), &fluxcdv1.ResourceSet{}},
		{&fluxcdv1.ResourceSetInputProviderList{}, "ResourceSetInputProvider", fluxcdv1.GroupVersion.String(), &fluxcdv1.ResourceSetInputProvider{}},
		{&helmv2.HelmReleaseList{}, "HelmRelease", helmv2.GroupVersion.String(), &helmv2.HelmRelease{}},
		{&kustomizev1.KustomizationList{}, "Kustomization", kustomizev1.GroupVersion.String(), &kustomizev1.Kustomization{}},
		{&notificationv1.ReceiverList{}, "Receiver", notificationv1.GroupVersion.String(), &notificationv1.Receiver{}},
		{&sourcev1.BucketList{}, "Bucket", sourcev1.GroupVersion.String(), &sourcev1.Bucket{}},
		{&sourcev1.ExternalArtifactList{}, "ExternalArtifact", sourcev1.GroupVersion.String(), &sourcev1.ExternalArtifact{}},
		{&sourcev1.GitRepositoryList{}, "GitRepository", sourcev1.GroupVersion.String(), &sourcev1.GitRepository{}},
		{&sourcev1.HelmChartList{}, "HelmChart", sourcev1.GroupVersion.String(), &sourcev1.HelmChart{}},
		{&sourcev1.HelmRepositoryList{}, "HelmRepository", sourcev1.GroupVersion.String(), &sourcev1.HelmRepository{}},
		{&sourcev1.OCIRepositoryList{}, "OCIRepository", sourcev1.GroupVersion.String(), &sourcev1.OCIRepository{}},
	}
}

type kind struct {
	list             client.ObjectList
	name, apiVersion string
	object           client.Object
}

func setupReport(mgr manager.Manager, r *reporter) error {
	skip := true
	b := builder.ControllerManagedBy(mgr).Named("fluxreport").
		For(&fluxcdv1.FluxReport{}, builder.WithPredicates(predicate.AnnotationChangedPredicate{}))
	for _, k := range reported() {
		b = b.Watches(k.object, r.soon())
	}
	return b.WithOptions(controller.Options{MaxConcurrentReconciles: 1, SkipNameValidation: &skip}).
		Complete(work.Reconciler(r.o.Gate, r))
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// soon has all reports made, some time after a change that they could show.
func (r *reporter) soon() handler.EventHandler {
	add := func(ctx context.Context, q queue) {
		var list fluxcdv1.FluxInstanceList
		if err := r.client.List(ctx, &list); err != nil {
			return // the cache is stopping
		}
		for _, instance := range list.Items {
			q.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: instance.Namespace, Name: reportName}}, reportPause)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, _ event.CreateEvent, q queue) { add(ctx, q) },
		DeleteFunc: func(ctx context.Context, _ event.DeleteEvent, q queue) { add(ctx, q) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			if e.ObjectOld.GetResourceVersion() != e.ObjectNew.GetResourceVersion() {
				add(ctx, q)
			}
		},
	}
}

// Reconcile writes a report, where it says something new.
func (r *reporter) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	start := time.Now()
	report := &fluxcdv1.FluxReport{}
	err := r.client.Get(ctx, req.NamespacedName, report)
	if apierrors.IsNotFound(err) {
		report.Namespace, report.Name = req.Namespace, req.Name
		report.Spec = r.compute(ctx, req.Namespace)
		if err := r.client.Create(ctx, report, client.FieldOwner(fluxoperator.FieldManager)); err != nil && !apierrors.IsAlreadyExists(err) {
			return reconcile.Result{RequeueAfter: reportInterval}, nil // the namespace may be going
		}
		return reconcile.Result{RequeueAfter: reportInterval}, r.finish(ctx, report, start)
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("read FluxReport %s: %w", req, err)
	}
	if fluxcdv1.IsDisabled(report) || report.DeletionTimestamp != nil {
		return reconcile.Result{}, nil
	}
	again := reconcile.Result{RequeueAfter: fluxcdv1.Interval(report, reportInterval)}
	saved := report.DeepCopy()
	report.Spec = r.compute(ctx, req.Namespace)
	requested := report.Annotations[meta.ReconcileRequestAnnotation]
	if reflect.DeepEqual(saved.Spec, report.Spec) && conditions.IsReady(report) && requested == report.Status.LastHandledReconcileAt {
		return again, nil
	}
	if err := r.client.Patch(ctx, report, client.MergeFrom(saved), client.FieldOwner(fluxoperator.FieldManager)); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	return again, r.finish(ctx, report, start)
}

// finish says that a report is made.
func (r *reporter) finish(ctx context.Context, report *fluxcdv1.FluxReport, start time.Time) error {
	saved := report.DeepCopy()
	conditions.MarkTrue(report, meta.ReadyCondition, meta.SucceededReason, "Reporting finished in %s", time.Since(start).Round(time.Millisecond))
	report.Status.LastHandledReconcileAt = report.Annotations[meta.ReconcileRequestAnnotation]
	err := r.client.Status().Patch(ctx, report, client.MergeFrom(saved), client.FieldOwner(fluxoperator.FieldManager))
	return client.IgnoreNotFound(err)
}

// compute looks at everything that is reported.
func (r *reporter) compute(ctx context.Context, namespace string) fluxcdv1.FluxReportSpec {
	spec := fluxcdv1.FluxReportSpec{
		Distribution: fluxcdv1.ReportedDistribution{Entitlement: "Unknown", Status: "Installed", Version: fluxVersion, ManagedBy: "Hearth"},
		Operator: &fluxcdv1.ReportedOperator{
			APIVersion: fluxcdv1.GroupVersion.String(), Version: r.o.Version, Platform: runtime.GOOS + "/" + runtime.GOARCH,
		},
	}
	if version, err := r.server.ServerVersion(); err == nil {
		spec.Cluster = &fluxcdv1.ReportedCluster{ServerVersion: version.GitVersion, Platform: version.Platform}
		nodes := &metav1.PartialObjectMetadataList{}
		nodes.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NodeList"))
		if err := r.client.List(ctx, nodes); err == nil {
			spec.Cluster.Nodes = len(nodes.Items)
		}
	}
	instance := &fluxcdv1.FluxInstance{}
	if err := r.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: reportName}, instance); err == nil {
		for _, image := range componentImages(instance) {
			spec.Components = append(spec.Components, fluxcdv1.ReportedComponent{
				Name: image.Name, Ready: true, Status: "Current Hearth reconciles in its place", Image: image.Repository + ":" + image.Tag,
			})
		}
		spec.Sync = r.sync(ctx, instance)
	}
	for _, k := range reported() {
		if stats, err := r.count(ctx, k.list); err == nil {
			spec.Reconcilers = append(spec.Reconcilers, fluxcdv1.ReportedReconciler{APIVersion: k.apiVersion, Kind: k.name, Stats: stats})
		}
	}
	return spec
}
