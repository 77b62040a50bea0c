package gitsource

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"

	"hearth/internal/source/git"
)

// mustVerify reports whether a signature is asked for that was not looked at
// when the artifact was stored.
func (a *attempt) mustVerify() bool {
	spec, observed := a.obj.Spec.Verification, a.obj.Status.SourceVerificationMode
	if spec == nil {
		return false
	}
	mode := spec.GetMode()
	return observed == nil || *observed != mode && *observed != sourcev1.ModeGitTagAndHEAD ||
		!conditions.IsTrue(a.obj, sourcev1.SourceVerifiedCondition)
}

// verify checks the signatures that the spec asks for.
func (a *attempt) verify(ctx context.Context, snapshot *git.Snapshot) error {
	spec := a.obj.Spec.Verification
	if spec == nil {
		a.obj.Status.SourceVerificationMode = nil
		conditions.Delete(a.obj, sourcev1.SourceVerifiedCondition)
		return nil
	}
	data, err := a.secret(ctx, spec.SecretRef.Name)
	if err != nil {
		return unverified(sourcev1.VerificationError, fmt.Errorf("public keys secret error: %w", err))
	}
	keys, err := git.KeysOf(data)
	if err != nil {
		return unverified(sourcev1.VerificationError, fmt.Errorf("public keys secret error: secret '%s/%s': %w", a.obj.Namespace, spec.SecretRef.Name, err))
	}
	var verified []string
	if spec.VerifyTag() {
		line, err := verifyTag(snapshot, keys)
		if err != nil {
			return err
		}
		verified = append(verified, line)
	}
	if spec.VerifyHEAD() {
		commit := snapshot.Target.Commit.String()
		key, err := snapshot.VerifyCommit(keys)
		if err != nil {
			return unverified("InvalidCommitSignature", fmt.Errorf("signature verification of commit '%s' failed: %w", commit, err))
		}
		verified = append(verified, fmt.Sprintf("commit '%s' with key '%s'", commit, key))
	}
	mode := spec.GetMode()
	a.obj.Status.SourceVerificationMode = &mode
	conditions.MarkTrue(a.obj, sourcev1.SourceVerifiedCondition, meta.SucceededReason,
		"verified signature of\n\t- %s", strings.Join(verified, "\n\t- "))
	return nil
}

func verifyTag(snapshot *git.Snapshot, keys git.Keys) (string, error) {
	name, ok := snapshot.Target.TagName()
	if !ok {
		f := unverified("InvalidVerificationMode", errors.New("cannot verify tag object's signature if a tag reference is not specified"))
		f.stalled = true
		return "", f
	}
	key, err := snapshot.VerifyTag(keys)
	if errors.Is(err, git.ErrUnsigned) {
		return "", unverified("InvalidGitObject", fmt.Errorf("cannot verify signature of tag '%s' since it is not signed", name))
	}
	if err != nil {
		return "", unverified("InvalidTagSignature", fmt.Errorf("signature verification of tag '%s' failed: %w", name, err))
	}
	return fmt.Sprintf("tag '%s' with key '%s'", name, key), nil
}

func unverified(reason string, err error) *failure {
	return &failure{condition: sourcev1.SourceVerifiedCondition, reason: reason, err: err}
}
