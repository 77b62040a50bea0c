package standin

import (
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/manager"

	"hearth/internal/standin/certificate"
	"hearth/internal/standin/operator"
	"hearth/internal/standin/postgres"
	"hearth/internal/standin/snapshot"
	"hearth/internal/standin/status"
	"hearth/internal/standin/volsync"
)

// setupOperators registers who plays operators: the table, and those for which
// a table does not suffice.
func setupOperators(mgr manager.Manager, o Options) error {
	ground := operator.Options{
		Gate: o.Gate, Objects: o.Objects, Assumptions: o.Assumptions, Faults: o.Faults,
		Pace: o.Pace, Seed: o.Seed, Simulated: o.Simulated,
	}
	return errors.Join(
		status.Setup(mgr, status.Options{Options: ground, Rows: o.Rows}),
		certificate.Setup(mgr, ground),
		postgres.Setup(mgr, ground),
		snapshot.Setup(mgr, ground),
		volsync.Setup(mgr, ground),
	)
}
