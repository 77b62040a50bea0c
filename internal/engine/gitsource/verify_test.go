package gitsource

import (
	"bytes"
	"crypto/rand"
	"crypto/sha512"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"golang.org/x/crypto/ssh"

	"hearth/internal/source/gittest"
)

func sshSigner(t *testing.T) (gittest.Sign, string) {
	t.Helper()
	signer, _ := gittest.NewKey(t, "")
	return func(payload []byte) string {
		sum := sha512.Sum512(payload)
		message := append([]byte("SSHSIG"), ssh.Marshal(struct {
			Namespace, Reserved, Hash string
			Sum                       []byte
		}{"git", "", "sha512", sum[:]})...)
		signature, err := signer.Sign(rand.Reader, message)
		if err != nil {
			t.Fatal(err)
		}
		blob := append([]byte("SSHSIG"), ssh.Marshal(struct {
			Version                   uint32
			Key                       []byte
			Namespace, Reserved, Hash string
			Signature                 []byte
		}{1, signer.PublicKey().Marshal(), "git", "", "sha512", ssh.Marshal(signature)})...)
		return string(pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: blob}))
	}, string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

func pgpSigner(t *testing.T) (gittest.Sign, string) {
	t.Helper()
	entity, err := openpgp.NewEntity("owner", "", "owner@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	w, err := armor.Encode(&text, openpgp.PublicKeyType, nil)
	if err == nil {
		err = entity.Serialize(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return func(payload []byte) string {
		var signature bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&signature, entity, bytes.NewReader(payload), nil); err != nil {
			t.Fatal(err)
		}
		return signature.String() + "\n"
	}, text.String()
}

func TestVerify(t *testing.T) {
	pgp, pgpPublic := pgpSigner(t)
	ssh, sshPublic := sshSigner(t)
	_, otherPublic := sshSigner(t)
	for name, test := range map[string]struct {
		mode        sourcev1.GitVerificationMode
		commit, tag gittest.Sign
		secret      string
		ref         sourcev1.GitRepositoryRef
		reason      string // of SourceVerified=False
		stall       bool
		says        string
	}{
		"HEAD by PGP":            {mode: "HEAD", commit: pgp, secret: "both", says: "commit '"},
		"head by SSH":            {mode: "head", commit: ssh, secret: "both", says: "commit '"},
		"Tag":                    {mode: "Tag", tag: ssh, secret: "both", ref: sourcev1.GitRepositoryRef{Tag: "v1"}, says: "tag 'v1@sha1:"},
		"Tag by its name":        {mode: "Tag", tag: pgp, secret: "both", ref: sourcev1.GitRepositoryRef{Name: "refs/tags/v1"}, says: "tag 'v1@sha1:"},
		"Tag by semver":          {mode: "Tag", tag: pgp, secret: "both", ref: sourcev1.GitRepositoryRef{SemVer: ">=1"}, says: "tag 'v1@sha1:"},
		"TagAndHEAD":             {mode: "TagAndHEAD", commit: pgp, tag: ssh, secret: "both", ref: sourcev1.GitRepositoryRef{Tag: "v1"}, says: "commit '"},
		"TagAndHEAD, one bad":    {mode: "TagAndHEAD", tag: ssh, secret: "both", ref: sourcev1.GitRepositoryRef{Tag: "v1"}, reason: "InvalidCommitSignature", says: "it is not signed"},
		"unsigned":               {mode: "HEAD", secret: "both", reason: "InvalidCommitSignature", says: "signature verification of commit '"},
		"by somebody else":       {mode: "HEAD", commit: ssh, secret: "other", reason: "InvalidCommitSignature", says: "unable to verify payload"},
		"an unsigned tag":        {mode: "Tag", secret: "both", ref: sourcev1.GitRepositoryRef{Tag: "v1"}, reason: "InvalidGitObject", says: "since it is not signed"},
		"a light tag":            {mode: "Tag", secret: "both", ref: sourcev1.GitRepositoryRef{Tag: "light"}, reason: "InvalidGitObject", says: "since it is not signed"},
		"a tag by somebody else": {mode: "Tag", tag: ssh, secret: "other", ref: sourcev1.GitRepositoryRef{Tag: "v1"}, reason: "InvalidTagSignature", says: "signature verification of tag 'v1@sha1:"},
		"Tag of a branch":        {mode: "Tag", secret: "both", reason: "InvalidVerificationMode", stall: true, says: "if a tag reference is not specified"},
		"no Secret":              {mode: "HEAD", commit: pgp, secret: "none", reason: "VerificationError", says: "public keys secret error"},
		"a Secret with no key":   {mode: "HEAD", commit: pgp, secret: "empty", reason: "VerificationError", says: "it holds no public key"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{}, secret("both", map[string]string{"owner.asc": pgpPublic, "owner.sshpub": sshPublic}),
				secret("other", map[string]string{"other.sshpub": otherPublic}), secret("empty", nil))
			commit := w.repo.Commit(gittest.Files{"a": gittest.Text("1")}, "Signed", test.commit)
			w.repo.Set("refs/heads/main", commit)
			w.repo.Set("refs/tags/v1", w.repo.TagObject("v1", commit, test.tag))
			w.repo.Set("refs/tags/light", commit)
			w.repository("home", func(obj *sourcev1.GitRepository) {
				if test.ref != (sourcev1.GitRepositoryRef{}) {
					obj.Spec.Reference = &test.ref
				}
				obj.Spec.Verification = &sourcev1.GitRepositoryVerification{Mode: test.mode, SecretRef: meta.LocalObjectReference{Name: test.secret}}
			})
			obj, _ := w.reconcile("home")
			message := conditions.GetMessage(obj, sourcev1.SourceVerifiedCondition)
			if !strings.Contains(message, test.says) {
				t.Errorf("SourceVerified says %q", message)
			}
			if test.reason != "" {
				progress := "Reconciling=True ProgressingWithRetry"
				if test.stall {
					progress = "Stalled=True " + test.reason
				}
				expect(t, obj, "SourceVerified=False "+test.reason, "Ready=False "+test.reason, progress)
				if obj.Status.Artifact != nil || obj.Status.SourceVerificationMode != nil {
					t.Errorf("stored %v, verified %v", obj.Status.Artifact, obj.Status.SourceVerificationMode)
				}
				return
			}
			expect(t, obj, "SourceVerified=True Succeeded", ready, stored)
			if mode := obj.Status.SourceVerificationMode; mode == nil || *mode != obj.Spec.Verification.GetMode() {
				t.Errorf("verified %v", mode)
			}
			// Nothing new is not verified again.
			writes, packs := w.writes, w.server.Packs.Load()
			if w.reconcile("home"); w.writes != writes || w.server.Packs.Load() != packs {
				t.Error("an unchanged repository was verified again")
			}
			// A badly signed successor does not replace it.
			w.repo.Set("refs/heads/main", w.repo.Commit(gittest.Files{"a": gittest.Text("2")}, "Not signed", nil, commit))
			w.repo.Set("refs/tags/v1", w.repo.TagObject("v1", commit, func([]byte) string { return "" }))
			after, _ := w.reconcile("home")
			if after.Status.Artifact == nil || after.Status.Artifact.Digest != obj.Status.Artifact.Digest {
				t.Errorf("the artifact is %v", after.Status.Artifact)
			}
			if obj.Spec.Reference.Branch != "" && !conditions.IsFalse(after, sourcev1.SourceVerifiedCondition) {
				t.Errorf("SourceVerified says %q", conditions.GetMessage(after, sourcev1.SourceVerifiedCondition))
			}
			// Without spec.verify the condition goes.
			w.update("home", func(obj *sourcev1.GitRepository) { obj.Spec.Verification = nil })
			obj, _ = w.reconcile("home")
			if expect(t, obj, ready, stored); obj.Status.SourceVerificationMode != nil {
				t.Errorf("verified %v", obj.Status.SourceVerificationMode)
			}
		})
	}
}
