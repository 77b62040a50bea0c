package helmrelease

import (
	"context"
	"errors"
	"fmt"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"helm.sh/helm/v4/pkg/action"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// test runs the chart's test hooks against the release.
func (s *step) test(ctx context.Context) error {
	spec := s.hr.GetTest()
	latest := s.hr.Status.History.Latest()
	var tested *releasev1.Release
	seen, err := s.act(ctx, func(_ context.Context, a *attempt) error {
		test := action.NewReleaseTesting(a.config)
		test.Namespace = s.hr.GetReleaseNamespace()
		test.Timeout = s.timeout(spec.GetTimeout(s.hr.GetTimeout()).Duration)
		for _, filter := range spec.GetFilters() {
			kind := action.IncludeNameFilter
			if filter.Exclude {
				kind = action.ExcludeNameFilter
			}
			test.Filters[kind] = append(test.Filters[kind], filter.Name)
		}
		r, shutdown, err := test.Run(s.releaseName())
		tested, _ = r.(*releasev1.Release)
		return errors.Join(err, shutdown())
	})
	if errors.Is(err, errInterrupted) {
		return err
	}
	if recordErr := s.record(seen, ""); recordErr != nil {
		return errors.Join(err, recordErr)
	}
	defer s.summarize()
	latest = s.hr.Status.History.Latest()
	hooks := testHooks(tested, spec.GetFilters())
	latest.SetTestHooks(hooks)
	if err != nil {
		s.failed(helmv2.TestSuccessCondition, helmv2.TestFailedReason, fmt.Sprintf("Helm test failed for release %s with chart %s: %s",
			latest.FullReleaseName(), latest.VersionedChartName(), s.located(err)))
		if tested == nil {
			return err
		}
		if remediation := s.hr.GetActiveRemediation(); remediation != nil && !s.ignoresTestFailures() {
			remediation.IncrementFailureCount(s.hr)
		}
		return nil
	}
	outcome := fmt.Sprintf("%d test hooks completed successfully", len(hooks))
	switch len(hooks) {
	case 0:
		outcome = "no test hooks"
	case 1:
		outcome = "1 test hook completed successfully"
	}
	s.succeeded(helmv2.TestSuccessCondition, helmv2.TestSucceededReason, fmt.Sprintf(
		"Helm test succeeded for release %s with chart %s: %s", latest.FullReleaseName(), latest.VersionedChartName(), outcome))
	return nil
}

// testHooks tells what became of each test of a release that was to run.
func testHooks(rel *releasev1.Release, filters []helmv2.Filter) map[string]*helmv2.TestHookStatus {
	hooks := map[string]*helmv2.TestHookStatus{}
	if rel == nil {
		return hooks
	}
	for _, h := range rel.Hooks {
		for _, event := range h.Events {
			if event != releasev1.HookTest || !selected(h.Name, filters) {
				continue
			}
			hooks[h.Name] = &helmv2.TestHookStatus{
				LastStarted:   metav1.NewTime(h.LastRun.StartedAt),
				LastCompleted: metav1.NewTime(h.LastRun.CompletedAt),
				Phase:         h.LastRun.Phase.String(),
			}
		}
	}
	return hooks
}

// selected reports whether a test passes the filters: one that is not excluded,
// and is named where any are.
func selected(name string, filters []helmv2.Filter) bool {
	named, included := false, false
	for _, f := range filters {
		switch {
		case f.Exclude && f.Name == name:
			return false
		case !f.Exclude:
			named = true
			included = included || f.Name == name
		}
	}
	return included || !named
}
