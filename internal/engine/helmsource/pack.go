package helmsource

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"sigs.k8s.io/yaml"

	"hearth/internal/render/helm"
)

// valuesFile is where a chart keeps its default values.
const valuesFile = "values.yaml"

// mergeValuesFiles makes the merged content of files of the chart its default
// values. No files leave it as it is.
func mergeValuesFiles(c *chart.Chart, files []string, ignoreMissing bool) error {
	if len(files) == 0 {
		return nil
	}
	merged := map[string]any{}
	for _, name := range files {
		i := slices.IndexFunc(c.Raw, func(f *common.File) bool { return f.Name == filepath.ToSlash(filepath.Clean(name)) })
		if i < 0 && ignoreMissing {
			continue
		}
		if i < 0 {
			return fmt.Errorf("the chart has no values file '%s'", name)
		}
		values, err := common.ReadValues(c.Raw[i].Data)
		if err != nil {
			return fmt.Errorf("reading the values file '%s': %w", name, err)
		}
		merged = helm.Merge(merged, values)
	}
	content, err := yaml.Marshal(merged)
	if err != nil {
		return fmt.Errorf("merging values files: %w", err)
	}
	c.Values = merged
	c.Raw = slices.DeleteFunc(slices.Clone(c.Raw), func(f *common.File) bool { return f.Name == valuesFile })
	c.Raw = append(c.Raw, &common.File{Name: valuesFile, Data: content})
	return nil
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
