package kustomize

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	generator "github.com/fluxcd/pkg/kustomize"
	securefs "github.com/fluxcd/pkg/kustomize/filesys"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	kustypes "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"hearth/internal/manifest"
	"hearth/internal/render"
)

// Request says what to build.
type Request struct {
	// Root is the artifact's folder, Path the folder in it to build.
	Root, Path string
	// Kustomization is the Flux Kustomization whose spec is laid over it.
	Kustomization *unstructured.Unstructured
	// Variables are those read from postBuild.substituteFrom. The ones in
	// postBuild.substitute win over them.
	Variables map[string]string
	// Strict makes a variable that is unknown and has no default an error.
	Strict bool
	// Always substitutes even where there are no variables at all, so that
	// defaults take effect.
	Always bool
	// Offline makes a resource that must be fetched an error.
	Offline bool
	// Parsed, where it is set, returns the documents of a file below Root that
	// were read before, and whether the file holds nothing else. Builds that
	// kustomize is not needed for are made of them, and no digest is computed.
	Parsed func(file string) (docs []*manifest.Document, whole bool)
	// Unknown, where it is set, supplies the text of a variable that nothing
	// defines and that has no default, instead of what Strict says.
	Unknown func(name string) string
	// Decrypter decrypts files and objects; nil leaves them as they are.
	Decrypter Decrypter
}

// Result is what a build made. Origins has the file of each object.
type Result struct {
	Objects []*unstructured.Unstructured
	Origins []render.Origin
	// Digest is the sha256 digest of the objects, "sha256:…"; "" where
	// Request.Parsed is set.
	Digest string
	// Read are the files that were read, below Root, in the order of reading.
	Read []string
	// Unknown are the variables that Request.Unknown was asked for.
	Unknown []Unknown
}

// Unknown is a variable that one of the objects uses and nothing defines.
type Unknown struct {
	Name string
	// Object is the index of the object in the result.
	Object int
}

// ErrOffline says that a build needs what must be fetched, and may not.
var ErrOffline = errors.New("nothing is fetched offline")

// ErrPathNotFound says that the artifact has no folder at the path.
var ErrPathNotFound = errors.New("kustomization path not found")

// Build builds a request. Its error is an *Error where a place in Git is known.
func Build(ctx context.Context, r Request) (*Result, error) {
	root, err := filepath.EvalSymlinks(r.Root)
	if err != nil {
		return nil, fmt.Errorf("read the artifact: %w", err)
	}
	// Rooting the path first keeps it inside, whatever it says.
	rel := strings.TrimPrefix(path.Clean("/"+filepath.ToSlash(r.Path)), "/")
	dir := filepath.Join(root, filepath.FromSlash(rel))
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%w: the source has no folder %q", ErrPathNotFound, r.Path)
	}
	disk, err := securefs.MakeFsOnDiskSecure(root)
	if err != nil {
		return nil, fmt.Errorf("read the artifact: %w", err)
	}
	var result *Result
	withSchema(func(alone bool) (own bool) {
		reads := &recordingFS{FileSystem: securefs.MakeFsInMemory(disk), root: root, offline: r.Offline, alone: alone, decrypter: r.Decrypter}
		b := &build{request: r, root: root, rel: rel, dir: dir, reads: reads}
		result, err = b.run(ctx)
		return reads.ownSchema
	})
	return result, err
}

// build is one build under way.
type build struct {
	request   Request
	root, rel string
	dir       string
	reads     *recordingFS
	// keepOrigins is set where Flux itself would have left the annotations.
	keepOrigins bool
}

func (b *build) run(ctx context.Context) (*Result, error) {
	if result, ok := b.plain(ctx); ok {
		return result, nil
	}
	resources, err := b.kustomize()
	if err != nil {
		return nil, b.explain(err)
	}
	return b.finish(ctx, resources)
}

// kustomize lays the Kustomization over the folder and runs kustomize.
func (b *build) kustomize() (resmap.ResMap, error) {
	if err := b.guardFolder(); err != nil {
		return nil, err
	}
	overlay, file, _, err := generator.NewGenerator(b.root, *b.request.Kustomization).GenerateManifest(b.dir)
	if err != nil {
		return nil, err
	}
	if overlay, err = b.traceOrigins(overlay); err != nil {
		return nil, err
	}
	b.reads.generated, b.reads.overlay = file, overlay
	return krustyRun(b.reads, b.dir)
}

// traceOrigins asks kustomize to note where each resource comes from.
func (b *build) traceOrigins(overlay []byte) ([]byte, error) {
	var k kustypes.Kustomization
	if err := yaml.Unmarshal(overlay, &k); err != nil {
		return nil, err
	}
	for _, option := range k.BuildMetadata {
		b.keepOrigins = b.keepOrigins || option == kustypes.OriginAnnotations
	}
	if b.keepOrigins {
		return overlay, nil
	}
	k.BuildMetadata = append(k.BuildMetadata, kustypes.OriginAnnotations)
	return yaml.Marshal(k)
}

// finish substitutes variables and turns resources into objects.
func (b *build) finish(ctx context.Context, resources resmap.ResMap) (*Result, error) {
	result := &Result{}
	digest := sha256.New()
	vars, err := b.variables()
	if err != nil {
		return nil, fmt.Errorf("post build failed: %w", err)
	}
	for _, res := range resources.Resources() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		origin, err := b.origin(res)
		if err != nil {
			return nil, err
		}
		key := render.Key{Group: res.GetGvk().Group, Kind: res.GetKind(), Namespace: res.GetNamespace(), Name: res.GetName()}
		if key.Name == "" || key.Kind == "" || res.GetApiVersion() == "" {
			return nil, &Error{Place: origin.Place(key), Err: errors.New("failed to decode Kubernetes apiVersion, kind and name")}
		}
		data, err := res.MarshalJSON()
		if err != nil {
			return nil, &Error{Place: origin.Place(key), Err: fmt.Errorf("kustomize build failed: %w", err)}
		}
		if d := b.request.Decrypter; d != nil {
			if data, err = d.Object(data); err != nil {
				return nil, &Error{Place: origin.Place(key), Err: fmt.Errorf("decryption failed for '%s/%s': %w", res.GetGvk(), res.GetName(), err)}
			}
		}
		if vars != nil && bytes.ContainsRune(data, '$') && !optsOut(res.GetLabels(), res.GetAnnotations()) {
			unknown, substituted, err := vars.substitute(data)
			if err != nil {
				place := origin.Place(key)
				if n := len(unknown); n > 0 {
					place = origin.Mention(key, "${"+unknown[n-1])
				}
				return nil, &Error{Place: place, Err: fmt.Errorf("post build failed for '%s/%s': %w", res.GetGvk(), res.GetName(), err)}
			}
			for _, name := range unknown {
				result.Unknown = append(result.Unknown, Unknown{Name: name, Object: len(result.Objects)})
			}
			data = substituted
		}
		if b.request.Parsed == nil {
			digest.Write(data)
		}
		objects, err := decode(data)
		if err != nil {
			return nil, &Error{Place: origin.Place(key), Err: fmt.Errorf("failed to decode %s %s: %w", key.Kind, key.Name, err)}
		}
		for _, obj := range objects {
			result.Objects = append(result.Objects, obj)
			result.Origins = append(result.Origins, origin)
		}
	}
	b.addCommonMetadata(result.Objects)
	for _, name := range b.reads.read {
		result.Read = append(result.Read, b.reads.rel(name))
	}
	if b.request.Parsed == nil {
		result.Digest = "sha256:" + hex.EncodeToString(digest.Sum(nil))
	}
	return result, nil
}

// origin returns the file of a resource, and removes kustomize's note of it.
func (b *build) origin(res *resource.Resource) (render.Origin, error) {
	origin := render.Origin{Root: b.root}
	noted, err := res.GetOrigin()
	if err != nil {
		return origin, fmt.Errorf("read the origin of %s %s: %w", res.GetKind(), res.GetName(), err)
	}
	if noted != nil && noted.Repo == "" {
		file := noted.Path
		if file == "" {
			file = noted.ConfiguredIn
		}
		origin.File = path.Join(b.rel, filepath.ToSlash(file))
	}
	if b.keepOrigins {
		return origin, nil
	}
	if err := res.SetOrigin(nil); err != nil {
		return origin, fmt.Errorf("remove the origin of %s %s: %w", res.GetKind(), res.GetName(), err)
	}
	return origin, nil
}

// decode reads a resource; a list yields its items, and what is no object of
// a cluster yields none.
func decode(data []byte) ([]*unstructured.Unstructured, error) {
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	if obj.IsList() {
		list, err := obj.ToList()
		if err != nil {
			return nil, err
		}
		var items []*unstructured.Unstructured
		for i := range list.Items {
			items = append(items, &list.Items[i])
		}
		return items, nil
	}
	if ssautil.IsKustomization(obj) {
		return nil, nil
	}
	return []*unstructured.Unstructured{obj}, nil
}

func (b *build) addCommonMetadata(objects []*unstructured.Unstructured) {
	common, ok, _ := unstructured.NestedMap(b.request.Kustomization.Object, "spec", "commonMetadata")
	if !ok {
		return
	}
	labels, _, _ := unstructured.NestedStringMap(common, "labels")
	annotations, _, _ := unstructured.NestedStringMap(common, "annotations")
	ssautil.SetCommonMetadata(objects, labels, annotations)
}

var _ filesys.FileSystem = (*recordingFS)(nil)
