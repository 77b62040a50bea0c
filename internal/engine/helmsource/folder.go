package helmsource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
)

// maxFolder bounds a chart that stands in a folder, in bytes.
const maxFolder = 128 << 20

// fromFolder packs a chart that stands in another source's artifact, as a
// folder or as an archive.
func (a *attempt) fromFolder(ctx context.Context, artifact *meta.Artifact) error {
	root, err := a.o.Store.Resolve(artifact)
	if err != nil {
		return a.failed(errPull, err)
	}
	at := within(root, a.obj.Spec.Chart)
	info, err := os.Stat(at)
	if err != nil {
		return a.failed(errReference, fmt.Errorf("stat '%s': no such file or directory", a.obj.Spec.Chart))
	}
	loaded, err := loadBounded(at)
	if err != nil {
		return a.failed(errReference, err)
	}
	mark := a.mark(artifact.Revision)
	if err := a.named(loaded.Name(), loaded.Metadata.Version, mark); err != nil {
		return err
	}
	a.built.packaged = info.IsDir() || mark != "" || len(a.obj.Spec.ValuesFiles) > 0
	if a.stored() {
		return nil
	}
	if err := a.outdated(ctx); err != nil {
		return err
	}
	if !a.built.packaged {
		return a.putFile(ctx, at)
	}
	a.built.valuesFiles, err = mergeValues(loaded, folderFiles(root), a.obj.Spec.ValuesFiles, a.obj.Spec.IgnoreMissingValuesFiles)
	if err != nil {
		return a.failed(errValues, err)
	}
	if info.IsDir() {
		if err := a.complete(ctx, root, loaded); err != nil {
			return a.failed(errDependency, err)
		}
	}
	return a.pack(ctx, loaded)
}

// within returns a path below a root, whatever the name says.
func within(root string, name ...string) string {
	return filepath.Join(root, filepath.FromSlash(path.Clean("/"+path.Join(name...))))
}

// loadBounded loads a chart from a folder or an archive that is not too large.
func loadBounded(at string) (*chart.Chart, error) {
	size := int64(0)
	err := filepath.WalkDir(at, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return errors.New("it holds a symbolic link")
		}
		if size += info.Size(); size > maxFolder {
			return fmt.Errorf("it is larger than %d MiB", maxFolder>>20)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the chart cannot be read: %w", err)
	}
	loaded, err := loader.Load(at)
	if err != nil {
		// What the library adds is where the artifact lies on this machine.
		return nil, errors.New(strings.ReplaceAll(err.Error(), at, path.Base(at)))
	}
	return loaded, nil
}
