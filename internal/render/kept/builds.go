package kept

import (
	"context"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"hearth/internal/render"
	"hearth/internal/render/kustomize"
	"hearth/internal/repo"
)

// buildsFormat changes with what an entry means.
const buildsFormat = "1"

// Builds keeps what Kustomizations build. A build is found again where its
// Kustomization and variables, the names of the files below its folder, and the
// content of all folders that it read from are what they were, wherever the repository
// stands: two trees that differ in one file share all builds but those that the
// file reaches. A nil value builds everything anew. Its method may be called
// concurrently.
type Builds struct {
	Store *Store

	mu    sync.Mutex
	trees map[*repo.Repository]*tree
}

// started is when the process began to read, at the earliest.
var started = time.Now()

// Still says that a repository's files do not change while it is used. What is
// built of files that are younger than the process is not kept otherwise.
func (b *Builds) Still(ctx context.Context, r *repo.Repository) {
	if b != nil {
		b.tree(ctx, r).still = true
	}
}

// Folder names all that stands below a folder of a repository; "" where that is
// not known.
func (b *Builds) Folder(ctx context.Context, r *repo.Repository, folder string) string {
	if b == nil {
		return ""
	}
	return b.tree(ctx, r).below(rooted(folder))
}

// keptBuild is the content of an entry.
type keptBuild struct {
	Objects json.RawMessage
	Origins []keptOrigin
	Read    []string
	Unknown []kustomize.Unknown
}

type keptOrigin struct {
	File string
	Line int
}

// Build builds a request of a repository, which must be offline and decrypt
// nothing. Errors are those of [kustomize.Build].
func (b *Builds) Build(ctx context.Context, r *repo.Repository, q kustomize.Request) (*kustomize.Result, error) {
	if b == nil || b.Store == nil || !q.Offline || q.Decrypter != nil {
		return kustomize.Build(ctx, q)
	}
	t := b.tree(ctx, r)
	request, err := t.request(q)
	if err != nil {
		return kustomize.Build(ctx, q)
	}
	// One entry says which folders a build of the request read from, and
	// another, named for what they hold, what it built.
	if text, ok := b.Store.Get(request); ok {
		if folders := strings.Fields(string(text)); t.hasAll(folders) {
			if result, ok := b.get(t.content(request, folders), q.Root); ok {
				return result, nil
			}
		}
	}
	result, err := kustomize.Build(ctx, q)
	if err == nil {
		b.put(t, request, q, result)
	}
	return result, err
}

func (b *Builds) tree(ctx context.Context, r *repo.Repository) *tree {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.trees[r] == nil {
		if b.trees == nil {
			b.trees = map[*repo.Repository]*tree{}
		}
		b.trees[r] = newTree(ctx, r)
	}
	return b.trees[r]
}

func (b *Builds) get(name, root string) (*kustomize.Result, bool) {
	data, ok := b.Store.Get(name)
	if !ok {
		return nil, false
	}
	var k keptBuild
	var objects []any
	if json.Unmarshal(data, &k) != nil || utiljson.Unmarshal(k.Objects, &objects) != nil || len(objects) != len(k.Origins) {
		return nil, false
	}
	result := &kustomize.Result{Read: k.Read, Unknown: k.Unknown}
	for i, content := range objects {
		fields, ok := content.(map[string]any)
		if !ok {
			return nil, false
		}
		result.Objects = append(result.Objects, &unstructured.Unstructured{Object: fields})
		result.Origins = append(result.Origins, render.Origin{Root: root, File: k.Origins[i].File, Line: k.Origins[i].Line})
	}
	return result, true
}

func (b *Builds) put(t *tree, request string, q kustomize.Request, result *kustomize.Result) {
	folders, ok := t.foldersOf(rooted(q.Path), result.Read)
	if !ok || !t.settled(result.Read) {
		return
	}
	k := keptBuild{Read: result.Read, Unknown: result.Unknown}
	objects := make([]any, len(result.Objects))
	for i, o := range result.Objects {
		objects[i] = o.Object
		k.Origins = append(k.Origins, keptOrigin{result.Origins[i].File, result.Origins[i].Line})
	}
	var err error
	if k.Objects, err = json.Marshal(objects); err != nil {
		return
	}
	data, err := json.Marshal(k)
	if err != nil {
		return
	}
	b.Store.Put(t.content(request, folders), data)
	b.Store.Put(request, []byte(strings.Join(folders, "\n")))
}

// rooted returns a path of a request as a folder below the root.
func rooted(name string) string {
	return path.Join(".", path.Clean("/"+name))
}

// request names a request, and the files that stand below its folder.
func (t *tree) request(q kustomize.Request) (string, error) {
	object, err := json.Marshal(q.Kustomization.Object)
	if err != nil {
		return "", err
	}
	parts := []string{buildsFormat, t.program, rooted(q.Path), string(object), t.names(rooted(q.Path))}
	for _, name := range slices.Sorted(maps.Keys(q.Variables)) {
		parts = append(parts, name, q.Variables[name])
	}
	for _, set := range []bool{q.Strict, q.Always, q.Unknown != nil, q.Parsed != nil} {
		parts = append(parts, map[bool]string{true: "yes", false: "no"}[set])
	}
	return Digest(parts...), nil
}

// content names what a request builds where its folders hold what they do.
func (t *tree) content(request string, folders []string) string {
	parts := []string{request}
	for _, folder := range folders {
		parts = append(parts, folder, t.in(folder))
	}
	return Digest(parts...)
}
