package helmsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"hearth/internal/engine/signature"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// fromRepository takes the chart from a Helm repository.
func (a *attempt) fromRepository(ctx context.Context, from *sourcev1.HelmRepository) error {
	want, err := request(ctx, a.client, from)
	if err != nil {
		return &sourcestate.Error{Reason: sourcev1.AuthenticationFailedReason, Err: err}
	}
	if isOCI := strings.HasPrefix(want.URL, "oci://"); isOCI != (from.Spec.Type == sourcev1.HelmRepositoryTypeOCI) {
		return &sourcestate.Error{Reason: sourcev1.URLInvalidReason, Stalled: true, Err: fmt.Errorf(
			"invalid Helm repository URL: '%s' does not fit a HelmRepository of type '%s'", shown(want.URL), from.Spec.Type)}
	}
	want.MaxAge = a.MaxAge(a.status(), a.obj.Spec.Interval.Duration)
	a.want = chartOf(want, a.obj.Spec.Chart, a.obj.Spec.Version)
	found, err := a.fetch(ctx, a.want)
	if err != nil {
		return err
	}
	if err := a.verify(ctx, found); err != nil {
		return err
	}
	name := a.obj.Spec.Chart[strings.LastIndex(a.obj.Spec.Chart, "/")+1:]
	if err := a.named(name, found.Version, a.mark("")); err != nil {
		return err
	}
	if len(a.obj.Spec.ValuesFiles) > 0 {
		a.built.packaged = true
	}
	if a.stored() {
		return nil
	}
	if err := a.outdated(ctx); err != nil {
		return err
	}
	return a.take(ctx, found.Path)
}

// chartOf asks for a chart of a repository, by a version or a range.
func chartOf(want source.ChartRequest, chart, version string) source.ChartRequest {
	if !strings.HasPrefix(want.URL, "oci://") {
		want.Name, want.Version = chart, version
		if version == "*" {
			want.Version = ""
		}
		return want
	}
	want.URL = strings.TrimRight(want.URL, "/") + "/" + chart
	want.Layer = source.HelmChartLayer
	if _, err := semver.StrictNewVersion(strings.TrimPrefix(version, "v")); err == nil {
		want.Version = version
		return want
	}
	want.SemVer = version
	if version == "" {
		want.SemVer = "*"
	}
	return want
}

func (a *attempt) fetch(ctx context.Context, want source.ChartRequest) (*source.ChartResult, error) {
	var found *source.ChartResult
	err := work.Aside(ctx, func(ctx context.Context) (err error) {
		found, err = a.o.Charts.Fetch(ctx, want)
		return err
	})
	if errors.Is(err, source.ErrNoChart) { // until the index changes, which wakes the chart
		return nil, a.failed(errReference, fmt.Errorf("failed to get chart version for remote reference: %w", err))
	}
	if err != nil {
		return nil, a.failed(errPull, fmt.Errorf("failed to download chart for remote reference: %w", err))
	}
	return found, nil
}

// take stores a chart that was fetched, with other values where the spec says
// so. Where a mapping names a folder it is one.
func (a *attempt) take(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return a.failed(errPull, err)
	}
	loaded, err := loader.Load(path)
	if err != nil {
		return a.failed(errPull, fmt.Errorf("failed to load chart metadata from written chart: %w", err))
	}
	if !info.IsDir() && len(a.obj.Spec.ValuesFiles) == 0 {
		return a.putFile(ctx, path)
	}
	a.built.valuesFiles, err = mergeValues(loaded, chartFiles(loaded), a.obj.Spec.ValuesFiles, a.obj.Spec.IgnoreMissingValuesFiles)
	if err != nil {
		return a.failed(errValues, fmt.Errorf("failed to merge chart values: %w", err))
	}
	return a.pack(ctx, loaded)
}

// verify checks the signatures that the spec asks for. What a mapping names or
// a stand-in plays has none.
func (a *attempt) verify(ctx context.Context, found *source.ChartResult) error {
	spec := a.obj.Spec.Verify
	if spec == nil {
		return nil
	}
	verified, err := a.signed(ctx, sourcev1.OCIRepositoryVerification{Provider: spec.Provider, SecretRef: spec.SecretRef, MatchOIDCIdentity: spec.MatchOIDCIdentity}, found)
	if err != nil {
		err = fmt.Errorf("%s: %w", errVerify.says, err)
		conditions.MarkFalse(a.obj, sourcev1.SourceVerifiedCondition, sourcev1.VerificationError, "%s", err.Error())
		return &sourcestate.Error{Condition: errVerify.condition, Reason: errVerify.reason, Err: err}
	}
	if verified {
		conditions.MarkTrue(a.obj, sourcev1.SourceVerifiedCondition, meta.SucceededReason, "verified signature of version %s", found.Version)
	} else {
		conditions.Delete(a.obj, sourcev1.SourceVerifiedCondition)
	}
	return nil
}

func (a *attempt) signed(ctx context.Context, spec sourcev1.OCIRepositoryVerification, found *source.ChartResult) (verified bool, err error) {
	if !strings.HasPrefix(a.want.URL, "oci://") {
		return false, errors.New("charts of http repositories have no signatures that are verified; use a HelmRepository of type oci")
	}
	if found.Manifest == "" {
		return false, nil
	}
	digest, err := v1.NewHash(found.Manifest)
	if err != nil {
		return false, err
	}
	repository, err := a.o.Charts.Repository(a.want)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, a.want.Timeout)
	defer cancel()
	check := signature.Check{Client: a.client, Namespace: a.obj.Namespace, Spec: spec}
	err = work.Aside(ctx, func(ctx context.Context) error {
		verified, err = check.Verify(ctx, repository, digest)
		return err
	})
	return verified, err
}
