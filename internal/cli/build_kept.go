package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hearth/internal/kube/gitops"
	"hearth/internal/render/desired"
	"hearth/internal/render/kept"
	"hearth/internal/repo"
	"hearth/internal/source"
)

// Bounds of the outputs of builds that are kept, and their form.
const (
	keptOutputs      = 32
	keptOutputBytes  = 256 << 20
	keptOutputFormat = "1"
)

// knownBuild is where the output of a build is kept, by the content of the tree
// and all else that it depends on. A nil value keeps nothing.
type knownBuild struct {
	store *kept.Store
	tree  *repo.Fingerprint
	name  string
}

// lookUp finds out where the output of a build would be.
func (f *buildFlags) lookUp(ctx context.Context, path string, target *gitops.Target) *knownBuild {
	// What the network answers may differ each time.
	if f.noCache || f.fetch {
		return nil
	}
	charts, err := source.AtHand("")
	if err != nil {
		return nil
	}
	tree, err := repo.FingerprintOf(ctx, path)
	if err != nil {
		return nil // opening it tells
	}
	folder, err := filepath.Abs(path) // it may choose the cluster
	if err != nil {
		return nil
	}
	inside, err := filepath.Rel(tree.Root, folder)
	if err != nil {
		return nil
	}
	wanted := fmt.Sprintf("%+v %+v", *f, target)
	if target != nil {
		wanted = fmt.Sprintf("%+v %+v", *f, *target)
	}
	name := kept.Digest(keptOutputFormat, kept.Program(), string(tree.Sum[:]), inside, kept.Listing(charts), wanted)
	return &knownBuild{kept.In("build", keptOutputs, keptOutputBytes), tree, name}
}

func (k *knownBuild) get() *built {
	if k == nil {
		return nil
	}
	data, ok := k.store.Get(k.name)
	if !ok {
		return nil
	}
	var b built
	if json.Unmarshal(data, &b) != nil {
		return nil
	}
	for folder, listing := range b.Charts {
		if kept.Listing(folder) != listing {
			return nil
		}
	}
	return &b
}

// put keeps an output, where it depends on nothing but the name.
func (k *knownBuild) put(ctx context.Context, path string, states []*desired.State, b *built) {
	if k == nil || len(states) == 0 || slices.ContainsFunc(states, k.misses) {
		return
	}
	// Somebody may have edited the tree meanwhile.
	now, err := repo.FingerprintOf(ctx, path)
	if err != nil || now.Sum != k.tree.Sum {
		return
	}
	b.Charts = mapped(states[0].Repository)
	if data, err := json.Marshal(b); err == nil {
		k.store.Put(k.name, data)
		k.store.Trim()
	}
}

// mapped lists the folders that charts are taken from, which Git may ignore.
func mapped(r *repo.Repository) map[string]string {
	listings := map[string]string{}
	for _, folder := range r.Config.Sources {
		if !strings.HasPrefix(folder, "hearth:") {
			folder = filepath.Join(r.Root, folder)
			listings[folder] = kept.Listing(folder)
		}
	}
	return listings
}

// misses reports whether some file that a state was computed from is no part of
// the name: hidden ones are not.
func (k *knownBuild) misses(s *desired.State) bool {
	for _, of := range s.Kustomizations {
		for _, file := range of.Read {
			_, err := os.Lstat(filepath.Join(k.tree.Root, filepath.FromSlash(file)))
			// Flux makes the kustomization of a folder that has none.
			if !k.tree.Files[file] && !errors.Is(err, fs.ErrNotExist) {
				return true
			}
		}
	}
	return false
}
