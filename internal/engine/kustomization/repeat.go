package kustomization

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"slices"

	"github.com/fluxcd/pkg/ssa"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/kustomize/api/konfig"

	"hearth/internal/kube/objects"
	"hearth/internal/render/kustomize"
)

// outcome is what a reconcile made of its inputs. As long as those are the
// same and no object has changed, the next one would make the same of them,
// and need not.
type outcome struct {
	inputs  string
	keys    []objects.Key
	changes *ssa.ChangeSet
	jobs    []*unstructured.Unstructured // those that vanish once they are done
	digest  string
}

// repeat returns what a reconcile would come to that only repeats the last
// one: the revision is Ready, all that it is built from is the same, and every
// object is as it was applied. Whatever is not surely so is built anew.
func (w *walk) repeat(ctx context.Context) (*kustomize.Result, *ssa.ChangeSet, bool) {
	last := w.memory.outcome(w.key)
	if last == nil || !w.progress.silent || w.memory.waitsForTakeover(w.key) {
		return nil, nil, false
	}
	if inputs, err := w.inputsNow(ctx); err != nil || inputs != last.inputs {
		return nil, nil, false
	}
	ledger := w.memory.ledger(w.key)
	for _, key := range last.keys {
		if !ledger.intact(ctx, w.reconciler, key) {
			return nil, nil, false
		}
	}
	w.digest = last.digest
	return &kustomize.Result{Objects: last.jobs, Digest: last.digest}, last.changes, true
}

// remember keeps what a reconcile came to, where the next one may rely on it:
// not on what is decrypted with keys that may change, not on another cluster,
// which nobody follows, and not on what is fetched from elsewhere.
func (w *walk) remember(root string, built *kustomize.Result, changes *ssa.ChangeSet) {
	w.memory.setOutcome(w.key, nil)
	if w.obj.Spec.Decryption != nil || w.remote() || len(built.Read) == 0 || !w.o.Offline && fetches(root, built.Read) {
		return
	}
	// Not the inputs of now: a variable may have changed since it was built with.
	o := &outcome{inputs: w.inputs, changes: ssa.NewChangeSet(), digest: built.Digest}
	withTTL := ssautil.ExtractJobsWithTTL(built.Objects)
	for _, obj := range built.Objects {
		o.keys = append(o.keys, objects.KeyOf(obj))
		if obj.GetKind() == "Job" && len(withTTL) > 0 {
			o.jobs = append(o.jobs, obj)
		}
	}
	for _, change := range changes.Entries {
		change.Action = ssa.UnchangedAction
		o.changes.Add(change)
	}
	w.memory.setOutcome(w.key, o)
}

// inputsNow digests all that a build would depend on.
func (w *walk) inputsNow(ctx context.Context) (string, error) {
	if w.obj.Spec.PostBuild == nil {
		return w.inputsWith(nil)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(w.obj)
	if err != nil {
		return "", err
	}
	vars, err := w.variables(ctx, &unstructured.Unstructured{Object: content})
	if err != nil {
		return "", err
	}
	return w.inputsWith(vars)
}

// inputsWith digests the spec, the artifact, and variables from the cluster.
func (w *walk) inputsWith(variables map[string]string) (string, error) {
	data, err := json.Marshal(variables)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %d %s %x", w.obj.UID, w.obj.Generation, w.source.GetArtifact().Digest, sha256.Sum256(data)), nil
}

// maxKustomizationFile bounds how much of a kustomization is looked at.
const maxKustomizationFile = 1 << 20

// fetches reports whether a kustomization names something outside the
// artifact, for all that is known.
func fetches(dir string, read []string) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return true
	}
	defer root.Close()
	for _, name := range read {
		if slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(name)) && namesRemote(root, name) {
			return true
		}
	}
	return false
}

func namesRemote(root *os.Root, name string) bool {
	f, err := root.Open(name)
	if os.IsNotExist(err) {
		return false // generated for the build, and has local names only
	}
	if err != nil {
		return true
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKustomizationFile))
	if err != nil || len(data) == maxKustomizationFile {
		return true
	}
	for line := range bytes.Lines(data) {
		line, _, _ = bytes.Cut(line, []byte("#"))
		for _, mark := range []string{"://", "git@", "github.com", "?ref=", "git::"} {
			if bytes.Contains(line, []byte(mark)) {
				return true
			}
		}
	}
	return false
}
