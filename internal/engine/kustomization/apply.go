package kustomization

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/ssa"
	ssaerrors "github.com/fluxcd/pkg/ssa/errors"
	"github.com/fluxcd/pkg/ssa/normalize"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/drift"
	"hearth/internal/render/kustomize"
)

// apply applies what was built, in stages, and writes the inventory of it.
func (w *walk) apply(ctx context.Context, built *kustomize.Result) (*ssa.ChangeSet, *failure) {
	failed := func(err error) (*ssa.ChangeSet, *failure) {
		return nil, &failure{reason: meta.ReconciliationFailedReason, err: err}
	}
	if err := normalize.UnstructuredList(built.Objects); err != nil {
		return failed(err)
	}
	for _, obj := range built.Objects {
		ssautil.RemoveCABundleFromCRD(obj) // as the apply does, after the ledger has looked
	}
	kube, err := w.applyClient(ctx)
	if err != nil {
		return failed(err)
	}
	a := &applier{walk: w, objects: built.Objects, ledger: w.memory.ledger(w.key), options: drift.ApplyOptions(w.obj), changes: ssa.NewChangeSet()}
	a.ledger.begin(w.obj.Generation)
	saw := newWitness(kube)
	a.manager = newManager(&recordingClient{Client: saw, beforeWrite: w.beforeWrite, applied: a.ledger.note})
	a.manager.SetOwnerLabels(built.Objects, w.key.Name, w.key.Namespace)

	err = a.stages(ctx)
	a.tellDrift(saw, w.before)
	a.tellRivals(ctx, saw)
	changed := changeLog(a.changes)
	if err != nil {
		a.ledger.clear()
		return failed(a.explain(err, changed))
	}
	if w.drifted = changed != ""; w.drifted {
		w.event(corev1.EventTypeNormal, changed)
	}
	w.obj.Status.Inventory = inventoryOf(a.changes)
	return a.changes, nil
}

func newManager(kube client.Client) *ssa.ResourceManager {
	manager := ssa.NewResourceManager(kube, nil, ssa.Owner{Field: fieldManager, Group: ownerGroup})
	manager.SetConcurrency(4)
	return manager
}

// changeLog lists what an apply changed, a line each.
func changeLog(changes *ssa.ChangeSet) string {
	var lines []string
	for _, change := range changes.Entries {
		if change.Action == ssa.CreatedAction || change.Action == ssa.ConfiguredAction || change.Action == ssa.DeletedAction {
			lines = append(lines, change.String())
		}
	}
	return strings.Join(lines, "\n")
}

// explain adds where the object that an apply failed on stands, and what had
// been applied before.
func (a *applier) explain(err error, changed string) error {
	err = at(err, a.place(err))
	if changed != "" {
		return fmt.Errorf("%w\n%s", err, changed)
	}
	return err
}

// place returns where the object stands that an error is about.
func (a *applier) place(err error) domain.Place {
	var dryRun *ssaerrors.DryRunErr
	if errors.As(err, &dryRun) && dryRun.InvolvedObject() != nil {
		return a.o.Index.PlaceOf(dryRun.InvolvedObject())
	}
	for _, obj := range a.objects {
		rest, about := strings.CutPrefix(err.Error(), ssautil.FmtUnstructured(obj))
		if about && (strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, ":")) {
			return a.o.Index.PlaceOf(obj)
		}
	}
	return domain.Place{}
}
