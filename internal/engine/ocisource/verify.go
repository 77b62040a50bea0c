package ocisource

import (
	"context"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"hearth/internal/engine/signature"
	"hearth/internal/engine/sourcestate"
	"hearth/internal/kube/work"
	"hearth/internal/source"
)

// verify checks the signatures that the spec asks for, unless they were looked
// at when the artifact was stored.
func (a *attempt) verify(ctx context.Context, want source.ChartRequest, found *source.ChartResult) error {
	spec := a.obj.Spec.Verify
	if spec == nil || found.Manifest == "" { // it comes from no registry
		conditions.Delete(a.obj, sourcev1.SourceVerifiedCondition)
		return nil
	}
	if a.obj.Status.Artifact.HasRevision(found.Revision) && conditions.IsTrue(a.obj, sourcev1.SourceVerifiedCondition) &&
		conditions.GetObservedGeneration(a.obj, sourcev1.SourceVerifiedCondition) == a.obj.Generation {
		return nil
	}
	verified, err := a.signed(ctx, want, found, *spec)
	if err != nil {
		return &sourcestate.Error{Condition: sourcev1.SourceVerifiedCondition, Reason: sourcev1.VerificationError, Err: err}
	}
	if verified {
		conditions.MarkTrue(a.obj, sourcev1.SourceVerifiedCondition, meta.SucceededReason, "verified signature of revision %s", found.Revision)
	} else {
		conditions.Delete(a.obj, sourcev1.SourceVerifiedCondition)
	}
	return nil
}

func (a *attempt) signed(ctx context.Context, want source.ChartRequest, found *source.ChartResult, spec sourcev1.OCIRepositoryVerification) (verified bool, err error) {
	repository, err := a.o.Charts.Repository(want)
	if err != nil {
		return false, err
	}
	digest, err := v1.NewHash(found.Manifest)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, want.Timeout)
	defer cancel()
	check := signature.Check{Client: a.client, Namespace: a.obj.Namespace, Spec: spec}
	err = work.Aside(ctx, func(ctx context.Context) error {
		verified, err = check.Verify(ctx, repository, digest)
		return err
	})
	return verified, err
}
