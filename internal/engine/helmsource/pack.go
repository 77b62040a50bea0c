package helmsource

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"sigs.k8s.io/yaml"

	"hearth/internal/render/helm"
)

// valuesFile is where a chart keeps its default values.
const valuesFile = "values.yaml"

// maxValues bounds a file of values, in bytes.
const maxValues = 5 << 20

// files returns the content of a file, or fs.ErrNotExist.
type files func(name string) ([]byte, error)

// chartFiles are those of a chart.
func chartFiles(c *chart.Chart) files {
	return func(name string) ([]byte, error) {
		i := slices.IndexFunc(c.Raw, func(f *common.File) bool { return f.Name == path.Clean(name) })
		if i < 0 {
			return nil, fs.ErrNotExist
		}
		return c.Raw[i].Data, nil
	}
}

// folderFiles are those below a folder.
func folderFiles(root string) files {
	return func(name string) ([]byte, error) {
		info, err := os.Lstat(within(root, name))
		if err != nil || !info.Mode().IsRegular() {
			return nil, fs.ErrNotExist
		}
		if info.Size() > maxValues {
			return nil, fmt.Errorf("it is larger than %d MiB", maxValues>>20)
		}
		return os.ReadFile(within(root, name))
	}
}

// mergeValues makes the merged content of files a chart's default values, and
// returns which were there. No files leave it as it is.
func mergeValues(c *chart.Chart, from files, names []string, ignoreMissing bool) (used []string, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	merged := map[string]any{}
	for _, name := range names {
		content, err := from(name)
		if errors.Is(err, fs.ErrNotExist) {
			if ignoreMissing {
				continue
			}
			return nil, fmt.Errorf("no values file found at path '%s'", name)
		}
		if err != nil {
			return nil, fmt.Errorf("could not read values from file '%s': %w", name, err)
		}
		values, err := common.ReadValues(content)
		if err != nil {
			return nil, fmt.Errorf("unmarshaling values from '%s' failed: %w", name, err)
		}
		merged = helm.Merge(merged, values)
		used = append(used, name)
	}
	content, err := yaml.Marshal(merged)
	if err != nil {
		return nil, fmt.Errorf("merging values files: %w", err)
	}
	c.Values = merged
	c.Raw = slices.DeleteFunc(slices.Clone(c.Raw), func(f *common.File) bool { return f.Name == valuesFile })
	c.Raw = append(c.Raw, &common.File{Name: valuesFile, Data: content})
	return used, nil
}

// packed writes a chart's archive to a temporary file. The caller calls remove.
func packed(c *chart.Chart) (file *os.File, remove func(), err error) {
	dir, err := os.MkdirTemp("", "hearth-chart-*")
	if err != nil {
		return nil, nil, fmt.Errorf("packing the chart %s: %w", c.Name(), err)
	}
	remove = func() {
		if file != nil {
			file.Close()
		}
		os.RemoveAll(dir)
	}
	path, err := chartutil.Save(c, dir)
	if err == nil {
		file, err = os.Open(path)
	}
	if err != nil {
		remove()
		return nil, nil, fmt.Errorf("packing the chart %s: %w", c.Name(), err)
	}
	return file, remove, nil
}
