// Package status plays the operators of a cluster by a table: which kind of
// object is given which status, after how long, and which objects an operator
// would make for it.
//
// It promises that an object of a kind in the table ends in the status that
// its consumers wait for, and that Secrets, Services and ConfigMaps that they
// read are there; that an operator whose own pods are there but not ready does
// nothing; and that each operator it plays is recorded as an assumption. The
// table (table.yaml) can be extended and overridden by [Row] values.
//
// A custom kind that no row names is given the condition Ready where its
// definition has room for conditions, since health checks in homelabs ask for
// that by convention; without such room nothing is written, and whoever waits
// takes an object without status for current. Kinds that Hearth reconciles
// itself, and plain configuration, are left alone by rows that say so.
//
// Nothing behind a status is real: no database runs, no certificate is signed
// by anybody, no backup is taken.
package status

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/standin/operator"
)

// Options says which operators are played, and how fast.
type Options struct {
	operator.Options
	// Rows come before the table's own; of several for a kind the last holds.
	Rows []Row
}

// player plays every operator of the table.
type player struct{ table *table }

// Setup registers the players with the manager.
func Setup(mgr manager.Manager, o Options) error {
	table, err := newTable(o.Rows)
	if err != nil {
		return fmt.Errorf("set up the stand-in operators: %w", err)
	}
	p := &player{table}
	if err := setupJobs(mgr, o, table); err != nil {
		return fmt.Errorf("set up the stand-ins of Jobs: %w", err)
	}
	return operator.Setup(mgr, o.Options, operator.Part{Name: "status", Plays: p.plays, See: see})
}

// see waits for the operator's delay, makes what the operator makes, and
// writes the status.
func see(ctx context.Context, v *operator.Visit) (reconcile.Result, error) {
	r := v.Role.Own.(*rule)
	status, wanted, err := r.prepare(ctx, v.Object, v.Seed)
	if err != nil {
		v.Refuse(fmt.Errorf("line %d: %w", r.line, err))
		return reconcile.Result{}, nil
	}
	if v.Differs(status) {
		if left := v.Left(operator.StepReconcile, r.Delay.span()); left > 0 {
			return reconcile.Result{RequeueAfter: left}, nil
		}
		v.Assume()
	}
	for _, obj := range wanted {
		if _, err := v.Make(ctx, obj, !r.Keep); err != nil {
			return reconcile.Result{}, err
		}
	}
	_, err = v.WriteStatus(ctx, status)
	return reconcile.Result{}, err
}
