package rehearsal

import (
	"context"

	"hearth/charts"
	"hearth/internal/render/desired"
	"hearth/internal/secrets"
	"hearth/internal/source"
)

// planSecrets has what the tree asks of its vault read, as `hearth secrets
// list` does, while Kubernetes starts; what is made up is made up for that. The
// function that it returns waits for it.
func (s *Stage) planSecrets(ctx context.Context, e *engine) func(ctx context.Context) *secrets.Plan {
	plan, read := &secrets.Plan{}, make(chan struct{})
	go func() {
		defer close(read)
		found, err := s.readSecrets(ctx, e)
		switch {
		case err == nil:
			plan = found
			e.assumer.Want(plan.Needs...)
		case ctx.Err() == nil:
			s.problem("what the tree asks of the vault cannot be read, so that a Secret without a template may lack a key: %v", err)
		}
	}()
	return func(ctx context.Context) *secrets.Plan {
		select {
		case <-read:
			return plan
		case <-ctx.Done():
			return &secrets.Plan{}
		}
	}
}

func (s *Stage) readSecrets(ctx context.Context, e *engine) (*secrets.Plan, error) {
	atHand, err := source.NewCharts(source.ChartOptions{
		Mapping: s.chartMapping(), Root: s.repository.Root, Embedded: charts.FS, Offline: true, StandIn: true,
	})
	if err != nil {
		return nil, err
	}
	state, err := desired.Build(ctx, s.repository, s.cluster, desired.Options{Charts: atHand})
	if err != nil {
		return nil, err
	}
	return secrets.NewPlan(ctx, state, e.vault.Vaults()), nil
}
