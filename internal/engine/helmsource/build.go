package helmsource

import (
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"

	"hearth/internal/engine/sourcestate"
)

// build is the chart that comes of an attempt.
type build struct {
	name, version string
	valuesFiles   []string
	packaged      bool // here, and not as it was pulled
}

func (b build) reason() string {
	if b.packaged {
		return sourcev1.ChartPackageSucceededReason
	}
	return sourcev1.ChartPullSucceededReason
}

// summary says what was built.
func (b build) summary() string {
	action := "pulled"
	if b.packaged {
		action = "packaged"
	}
	summary := fmt.Sprintf("%s '%s' chart with version '%s'", action, b.name, b.version)
	if len(b.valuesFiles) > 0 {
		summary += fmt.Sprintf(" and merged values files %v", b.valuesFiles)
	}
	return summary
}

// reasonPull is why there is no chart where nothing else is said.
const reasonPull = "ChartPullError"

// buildError is a way in which building a chart fails.
type buildError struct {
	reason, says string
	condition    string
	stalled      bool // until the spec or the source changes
}

var (
	errReference  = buildError{"InvalidChartReference", "invalid chart reference", sourcev1.FetchFailedCondition, true}
	errPull       = buildError{reasonPull, "chart pull error", sourcev1.FetchFailedCondition, false}
	errMetadata   = buildError{"MetadataPatchError", "chart metadata patch error", sourcev1.BuildFailedCondition, true}
	errValues     = buildError{"ValuesFilesError", "values files merge error", sourcev1.BuildFailedCondition, true}
	errDependency = buildError{"DependencyBuildError", "dependency build error", sourcev1.BuildFailedCondition, false}
	errPackage    = buildError{"ChartPackageError", "chart package error", sourcev1.BuildFailedCondition, false}
	errVerify     = buildError{"ChartVerificationError", "chart verification error", sourcev1.BuildFailedCondition, false}
)

func (a *attempt) failed(how buildError, err error) error {
	return &sourcestate.Error{Condition: how.condition, Reason: how.reason, Stalled: how.stalled, Err: fmt.Errorf("%s: %w", how.says, err)}
}

// marked adds to a version what tells apart charts that call themselves the
// same.
func marked(version, mark string) (string, error) {
	if mark == "" {
		return version, nil
	}
	v, err := semver.NewVersion(version)
	if err != nil {
		return "", fmt.Errorf("failed to parse version from chart metadata as SemVer: %w", err)
	}
	with, err := v.SetMetadata(mark)
	if err != nil {
		return "", fmt.Errorf("failed to set SemVer metadata on chart version: %w", err)
	}
	return with.String(), nil
}

// revisionDigest is how much of a source's revision a chart's version carries.
const revisionDigest = 12

// mark is what a chart's version is marked with: the source's revision where
// that is asked for, and the spec's generation where it says which values count.
func (a *attempt) mark(revision string) string {
	var marks []string
	if a.obj.Spec.ReconcileStrategy == sourcev1.ReconcileStrategyRevision && revision != "" {
		digest := revision[strings.LastIndex(revision, ":")+1:]
		marks = append(marks, digest[:min(len(digest), revisionDigest)])
	}
	if len(a.obj.GetValuesFiles()) > 0 {
		marks = append(marks, fmt.Sprint(a.obj.Generation))
	}
	return strings.Join(marks, ".")
}
