package gitsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Bounds on what is copied from other repositories into one.
const (
	maxIncludedFiles = 100_000
	maxIncludedBytes = 1 << 30
)

// artifactChanged passes repositories whose artifact is not what it was.
var artifactChanged = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	DeleteFunc:  func(event.DeleteEvent) bool { return true },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*sourcev1.GitRepository)
		after, also := e.ObjectNew.(*sourcev1.GitRepository)
		return ok && also && !sameArtifact(before.Status.Artifact, after.Status.Artifact)
	},
}

func sameArtifact(a, b *meta.Artifact) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Revision == b.Revision && a.Digest == b.Digest
}

// includers returns the repositories that include one.
func (r *reconciler) includers(ctx context.Context, included client.Object) []reconcile.Request {
	var list sourcev1.GitRepositoryList
	if err := r.client.List(ctx, &list, client.InNamespace(included.GetNamespace())); err != nil {
		return nil // they look again at their interval
	}
	var requests []reconcile.Request
	for _, obj := range list.Items {
		if slices.ContainsFunc(obj.Spec.Include, func(i sourcev1.GitRepositoryInclude) bool { return i.GitRepositoryRef.Name == included.GetName() }) {
			requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: obj.Namespace, Name: obj.Name}})
		}
	}
	return requests
}

// findIncludes looks up the artifacts of the repositories to include.
func (a *attempt) findIncludes(ctx context.Context) error {
	for _, include := range a.obj.Spec.Include {
		name := include.GitRepositoryRef.Name
		dep := &sourcev1.GitRepository{}
		if err := a.client.Get(ctx, types.NamespacedName{Namespace: a.obj.Namespace, Name: name}, dep); err != nil {
			return &failure{condition: sourcev1.IncludeUnavailableCondition, reason: "NotFound", err: fmt.Errorf("could not get resource for include '%s': %w", name, err)}
		}
		if dep.Status.Artifact == nil {
			return &failure{condition: sourcev1.IncludeUnavailableCondition, reason: "NoArtifact", err: fmt.Errorf("no artifact available for include '%s'", name)}
		}
		a.includes = append(a.includes, dep.Status.Artifact.DeepCopy())
	}
	return nil
}

// includesChanged reports whether other artifacts are to be included than are.
func (a *attempt) includesChanged() bool {
	return !slices.EqualFunc(a.includes, a.obj.Status.IncludedArtifacts, sameArtifact)
}

// noteIncludes says that included artifacts have changed.
func (a *attempt) noteIncludes(ctx context.Context) error {
	if !a.includesChanged() {
		// Their URLs may differ all the same; what was written stays.
		a.includes = a.obj.Status.IncludedArtifacts
		return nil
	}
	return a.outdated(ctx, "IncludeChange", "included artifacts differ from last observed includes", a.obj.Status.IncludedArtifacts != nil)
}

// copyIncludes copies what is to be included into a repository's folder.
func (a *attempt) copyIncludes(ctx context.Context, tree string) error {
	if len(a.obj.Spec.Include) == 0 {
		return nil
	}
	root, err := os.OpenRoot(tree)
	if err != nil {
		return archiveFailed(err)
	}
	defer root.Close()
	c := &copier{ctx: ctx, to: root}
	for i, include := range a.obj.Spec.Include {
		name := include.GitRepositoryRef.Name
		from, errFrom := within(include.GetFromPath())
		to, errTo := within(include.GetToPath())
		if err := errors.Join(errFrom, errTo); err != nil {
			return &failure{
				condition: sourcev1.StorageOperationFailedCondition, reason: "IllegalPath", stalled: true,
				err: fmt.Errorf("path calculation for include '%s' failed: %w", name, err),
			}
		}
		if err := a.copyInclude(c, a.includes[i], from, to); err != nil {
			return &failure{
				condition: sourcev1.StorageOperationFailedCondition, reason: "CopyFailure",
				err: fmt.Errorf("failed to copy '%s' include from %s to %s: %w", name, from, to, err),
			}
		}
	}
	return nil
}

// within returns a path as one below a root; "/a" and "a" are the same.
func within(name string) (string, error) {
	if slices.Contains(strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' }), "..") || strings.ContainsAny(name, "\\\x00") {
		return "", fmt.Errorf("the path '%s' leads out of the repository", name)
	}
	return path.Join(".", path.Clean("/" + name)[1:]), nil
}

func (a *attempt) copyInclude(c *copier, artifact *meta.Artifact, from, to string) error {
	dir, err := a.o.Store.Dir(artifact.Digest)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	c.from = root
	return c.copy(from, to)
}

// copier copies files between two folders, and leaves neither.
type copier struct {
	ctx      context.Context
	from, to *os.Root
	files    int
	bytes    int64
}

func (c *copier) copy(from, to string) error {
	return fs.WalkDir(c.from.FS(), from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := c.ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(filepath.FromSlash(from), filepath.FromSlash(name))
		if err != nil {
			return err
		}
		target := filepath.Join(filepath.FromSlash(to), rel)
		if entry.IsDir() {
			return c.to.MkdirAll(target, 0o755)
		}
		if err := c.to.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return c.file(name, target)
	})
}

func (c *copier) file(name, target string) error {
	source, err := c.from.Open(filepath.FromSlash(name))
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	c.files++
	c.bytes += info.Size()
	if c.files > maxIncludedFiles || c.bytes > maxIncludedBytes {
		return fmt.Errorf("more than %d files or %d MiB are included", maxIncludedFiles, maxIncludedBytes>>20)
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	file, err := c.to.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, io.LimitReader(source, info.Size()))
	return errors.Join(err, file.Close())
}
