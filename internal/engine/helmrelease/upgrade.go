package helmrelease

import (
	"context"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"helm.sh/helm/v4/pkg/action"
	chart "helm.sh/helm/v4/pkg/chart/v2"
)

// upgrade changes the release to what is desired.
func (s *step) upgrade(ctx context.Context) error {
	spec := s.hr.GetUpgrade()
	s.begin(helmv2.ReleaseActionUpgrade)
	timeout := s.timeout(spec.GetTimeout(s.hr.GetTimeout()).Duration)
	seen, err := s.act(ctx, func(ctx context.Context, a *attempt) error {
		policy := spec.CRDs
		if policy == "" {
			policy = helmv2.Skip
		}
		if err := s.applyCRDs(ctx, a, policy); err != nil {
			return err
		}
		upgrade := action.NewUpgrade(a.config)
		upgrade.Namespace = s.hr.GetReleaseNamespace()
		upgrade.Timeout = timeout
		upgrade.TakeOwnership = !spec.DisableTakeOwnership
		upgrade.WaitStrategy = s.waitStrategy(spec.DisableWait)
		upgrade.WaitForJobs = !spec.DisableWaitForJobs
		upgrade.DisableHooks = spec.DisableHooks
		upgrade.DisableOpenAPIValidation = spec.DisableOpenAPIValidation
		upgrade.SkipSchemaValidation = spec.DisableSchemaValidation
		upgrade.ResetValues = !spec.PreserveValues
		upgrade.ReuseValues = spec.PreserveValues
		upgrade.CleanupOnFail = spec.CleanupOnFail
		upgrade.MaxHistory = s.hr.GetMaxHistory()
		upgrade.SkipCRDs = true
		upgrade.ServerSideApply = serverSide(spec.ServerSideApply)
		serverSideApplied := upgrade.ServerSideApply != "false" && s.wasServerSideApplied(upgrade.ServerSideApply)
		upgrade.ForceConflicts = serverSideApplied
		upgrade.ForceReplace = spec.Force && !serverSideApplied
		upgrade.PostRenderer = s.postRenderer()
		upgrade.PostRenderStrategy = action.PostRenderStrategy(s.hr.GetPostRenderStrategy())
		return s.rendering(ctx, a, func(c *chart.Chart) error {
			_, err := upgrade.RunWithContext(context.WithoutCancel(ctx), s.releaseName(), c, s.values.Map)
			return err
		})
	})
	return s.released(seen, err, helmv2.ReleaseActionUpgrade, spec.GetRemediation())
}

// serverSide returns Helm's word for a mode of applying.
func serverSide(mode helmv2.ServerSideApplyMode) string {
	switch mode {
	case helmv2.ServerSideApplyEnabled:
		return "true"
	case helmv2.ServerSideApplyDisabled:
		return "false"
	}
	return "auto"
}

// wasServerSideApplied says how a release is applied where that is left to
// what it was before.
func (s *step) wasServerSideApplied(mode string) bool {
	if mode == "true" {
		return true
	}
	rel, err := s.lastRelease()
	return err == nil && rel.ApplyMethod == "ssa"
}
