package ocisource

import (
	"strings"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"

	"hearth/internal/source/ocitest"
)

func TestVerify(t *testing.T) {
	owner, public := ocitest.NewKey(t)
	_, other := ocitest.NewKey(t)
	w := newWorld(t, secret("keys", map[string]string{"a.pub": string(other), "owner.pub": string(public), "note": "no key"}),
		secret("other", map[string]string{"a.pub": string(other)}), secret("none", map[string]string{"note": "no key"}), secret("broken", map[string]string{"a.pub": "hunter2"}))
	layer := func(content string) ocitest.Layer {
		return ocitest.Layer{MediaType: ocitest.FluxLayer, Content: ocitest.TarGz(t, map[string]string{"a": content})}
	}
	w.registry.Sign("home", w.registry.Push("home", "1", nil, layer("signed")), owner)
	w.registry.Push("home", "2", nil, layer("unsigned"))
	cosign := func(keys string) *sourcev1.OCIRepositoryVerification {
		return &sourcev1.OCIRepositoryVerification{Provider: "cosign", SecretRef: ref(keys)}
	}
	for name, test := range map[string]struct {
		tag    string
		verify *sourcev1.OCIRepositoryVerification
		says   string
	}{
		"signed":     {"1", cosign("keys"), ""},
		"unsigned":   {"2", cosign("keys"), "failed to verify the signature using provider 'cosign': no matching signatures were found for 'sha256:"},
		"stranger":   {"1", cosign("other"), "no matching signatures were found"},
		"no-key":     {"1", cosign("none"), "no public keys found in secret 'ns/none'"},
		"broken-key": {"1", cosign("broken"), "the key 'a.pub' of secret 'ns/broken'"},
		"no-secret":  {"1", cosign("lost"), "failed to get secret 'ns/lost'"},
		"keyless":    {"1", &sourcev1.OCIRepositoryVerification{Provider: "cosign"}, "using provider 'cosign keyless': no matching signatures were found"},
		"no-root":    {"1", &sourcev1.OCIRepositoryVerification{Provider: "cosign", TrustedRootSecretRef: ref("none")}, "failed to read trusted root from secret 'ns/none'"},
		"no-policy":  {"1", &sourcev1.OCIRepositoryVerification{Provider: "notation", SecretRef: ref("keys")}, "'trustpolicy.json' not found in secret 'ns/keys'"},
		"notation":   {"1", &sourcev1.OCIRepositoryVerification{Provider: "notation"}, "verification secret cannot be empty"},
		"unknown":    {"1", &sourcev1.OCIRepositoryVerification{Provider: "gpg"}, "unsupported verification provider: gpg"},
	} {
		t.Run(name, func(t *testing.T) {
			w.repository(name, func(obj *sourcev1.OCIRepository) { obj.Spec.Reference.Tag, obj.Spec.Verify = test.tag, test.verify })
			obj, _ := w.reconcile(name)
			if test.says == "" {
				expect(t, obj, ready, stored, "SourceVerified=True Succeeded")
				return
			}
			message := conditions.GetMessage(obj, sourcev1.SourceVerifiedCondition)
			expect(t, obj, "SourceVerified=False VerificationError", "Ready=False VerificationError", "Reconciling=True ProgressingWithRetry")
			if !strings.Contains(message, test.says) || strings.Contains(message, "hunter2") || obj.Status.Artifact != nil {
				t.Errorf("SourceVerified says %q, stored %v", message, obj.Status.Artifact)
			}
		})
	}
}

func TestAnUnsignedSuccessorDoesNotReplaceTheSigned(t *testing.T) {
	owner, public := ocitest.NewKey(t)
	w := newWorld(t, secret("keys", map[string]string{"owner.pub": string(public)}))
	push := func(content string, sign bool) {
		digest := w.registry.Push("home", "1", nil, ocitest.Layer{MediaType: ocitest.FluxLayer, Content: ocitest.TarGz(t, map[string]string{"a": content})})
		if sign {
			w.registry.Sign("home", digest, owner)
		}
	}
	push("old", true)
	w.repository("home", func(obj *sourcev1.OCIRepository) {
		obj.Spec.Verify = &sourcev1.OCIRepositoryVerification{Provider: "cosign", SecretRef: ref("keys")}
	})
	before, _ := w.reconcile("home")
	if message := conditions.GetMessage(before, sourcev1.SourceVerifiedCondition); message != "verified signature of revision "+before.Status.Artifact.Revision {
		t.Errorf("SourceVerified says %q", message)
	}
	writes, requests := w.writes, w.registry.Requests.Load()
	w.reconcile("home")
	if w.writes != writes || w.registry.Requests.Load() > requests+4 {
		t.Errorf("what was verified is verified again, by %d requests", w.registry.Requests.Load()-requests)
	}
	push("new", false)
	after, _ := w.reconcile("home")
	expect(t, after, "SourceVerified=False VerificationError", "Ready=False VerificationError", "Reconciling=True ProgressingWithRetry", "ArtifactOutdated=True NewRevision", stored)
	if after.Status.Artifact.Digest != before.Status.Artifact.Digest || w.files(after)["a"] != "old" {
		t.Errorf("the artifact is %v", after.Status.Artifact)
	}
	push("newer", true)
	obj, _ := w.reconcile("home")
	if expect(t, obj, ready, stored, "SourceVerified=True Succeeded"); w.files(obj)["a"] != "newer" {
		t.Errorf("the artifact holds %v", w.files(obj))
	}
	w.update("home", func(obj *sourcev1.OCIRepository) { obj.Spec.Verify = nil })
	obj, _ = w.reconcile("home")
	if expect(t, obj, ready, stored); conditions.Has(obj, sourcev1.SourceVerifiedCondition) || conditions.Has(obj, meta.StalledCondition) {
		t.Errorf("%v", obj.Status.Conditions)
	}
}
