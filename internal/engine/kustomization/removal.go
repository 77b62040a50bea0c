package kustomization

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/object"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	takeoverReason = "TakeoverPending"
	dataReason     = "DataPruned"
)

// leftAlone are labels and annotations that keep an object from being deleted.
var leftAlone = map[string]string{
	ownerGroup + "/prune":     kustomizev1.DisabledValue,
	ownerGroup + "/reconcile": kustomizev1.DisabledValue,
	ownerGroup + "/ssa":       kustomizev1.IgnoreValue,
}

// removal says what happens to objects that a Kustomization applies no longer.
type removal struct {
	// now are to be deleted, or turn out to be gone or another's.
	now []*unstructured.Unstructured
	// waiting are those that another Kustomization is about to take over.
	waiting []*unstructured.Unstructured
	// doomed are those of now that a deletion reaches, as the server has them.
	doomed []*unstructured.Unstructured
	heirs  []types.NamespacedName
}

// planRemoval looks at what is to be removed before any of it is. What others
// are about to take over waits for them until the deadline.
func (w *walk) planRemoval(ctx context.Context, kube client.Client, list []*unstructured.Unstructured, deadline time.Time) (removal, error) {
	var plan removal
	live, err := w.reached(ctx, kube, list)
	if err != nil || len(live) == 0 {
		plan.now = list
		return plan, err
	}
	heirs, err := w.heirs(ctx, live)
	if err != nil {
		return plan, fmt.Errorf("look who takes objects over: %w", err)
	}
	if !time.Now().Before(deadline) {
		clear(heirs)
	}
	kept := map[object.ObjMetadata]bool{}
	for _, obj := range live {
		id := object.UnstructuredToObjMetadata(obj)
		_, kept[id] = heirs[id]
		// A namespace would take along what waits in it.
		kept[id] = kept[id] || obj.GetKind() == "Namespace" && anyIn(obj.GetName(), heirs)
		if !kept[id] {
			plan.doomed = append(plan.doomed, obj)
		}
	}
	for _, obj := range list {
		if kept[object.UnstructuredToObjMetadata(obj)] {
			plan.waiting = append(plan.waiting, obj)
		} else {
			plan.now = append(plan.now, obj)
		}
	}
	plan.heirs = names(heirs)
	w.tellRemoval(ctx, kube, plan)
	w.hurry(plan.heirs)
	return plan, nil
}

// hurry lets those who take objects over do so now: one that has applied its
// revision already, and lost an object to us since, would rest until its
// interval is over.
func (w *walk) hurry(heirs []types.NamespacedName) {
	for _, name := range heirs {
		if w.memory.firstTold(w.key, "hurry "+name.String()) {
			w.memory.expire(name)
			w.wake.request(name)
		}
	}
}

func anyIn(namespace string, heirs map[object.ObjMetadata]types.NamespacedName) bool {
	for id := range heirs {
		if id.Namespace == namespace {
			return true
		}
	}
	return false
}

// reached returns those objects, as the server has them, that a deletion would
// reach: they are there, still ours, and nothing protects them.
func (w *walk) reached(ctx context.Context, kube client.Client, list []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var live []*unstructured.Unstructured
	for _, obj := range list {
		there := &unstructured.Unstructured{}
		there.SetGroupVersionKind(obj.GroupVersionKind())
		err := kube.Get(ctx, client.ObjectKeyFromObject(obj), there)
		if apierrors.IsNotFound(err) || apimeta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s query failed: %w", ssautil.FmtUnstructured(obj), err)
		}
		labels := there.GetLabels()
		ours := labels[ownerGroup+"/name"] == w.key.Name && labels[ownerGroup+"/namespace"] == w.key.Namespace
		if ours && !ssautil.AnyInMetadata(there, leftAlone) && there.GetDeletionTimestamp() == nil {
			live = append(live, there)
		}
	}
	return live, nil
}

// tellRemoval tells, before it happens, which data goes, and who is waited for.
func (w *walk) tellRemoval(ctx context.Context, kube client.Client, plan removal) {
	if lost := losses(ctx, kube, plan.doomed); len(lost) > 0 {
		message := "Deleted with the data they hold, since Git has them no longer: " + strings.Join(lost, ", ")
		if w.memory.firstTold(w.key, message) {
			w.eventFor(corev1.EventTypeWarning, dataReason, message)
		}
	}
	if len(plan.waiting) == 0 {
		return
	}
	var what, who []string
	for _, obj := range plan.waiting {
		what = append(what, subject(obj))
	}
	for _, name := range plan.heirs {
		who = append(who, name.String())
	}
	message := fmt.Sprintf("Not deleted yet, since Kustomization %s is to take over: %s", strings.Join(who, ", "), strings.Join(what, ", "))
	if w.memory.firstTold(w.key, message) {
		w.eventFor(corev1.EventTypeNormal, takeoverReason, message)
	}
}
