package charts

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sort"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// load reads one embedded chart with Helm's own loader.
func load(t *testing.T, name string) *chart.Chart {
	t.Helper()
	root, err := fs.Sub(FS, name)
	if err != nil {
		t.Fatal(err)
	}
	var files []*archive.BufferedFile
	err = fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, path)
		files = append(files, &archive.BufferedFile{Name: path, Data: data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := loader.LoadFiles(files)
	if err != nil {
		t.Fatalf("load chart %s: %v", name, err)
	}
	if err := loaded.Validate(); err != nil {
		t.Fatalf("validate chart %s: %v", name, err)
	}
	return loaded
}

// object is one rendered document.
type object = map[string]any

// render installs a chart's release on paper, in namespace home.
func render(c *chart.Chart, release string, values map[string]any) ([]object, error) {
	options := common.ReleaseOptions{Name: release, Namespace: "home", Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(c, values, options, nil)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	paths := make([]string, 0, len(files))
	for path := range files {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	var objects []object
	for _, path := range paths {
		more, err := parse(files[path])
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", path, err, files[path])
		}
		objects = append(objects, more...)
	}
	return objects, nil
}

// parse splits rendered text into objects and refuses what the API would refuse at sight.
func parse(text string) ([]object, error) {
	var objects []object
	decoder := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := decoder.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		one := object{}
		if err := yaml.UnmarshalStrict(document, &one); err != nil {
			return nil, err
		}
		if len(one) == 0 {
			continue
		}
		if one["apiVersion"] == nil || one["kind"] == nil || field(one, "metadata.name") == nil {
			return nil, fmt.Errorf("an object without apiVersion, kind or name: %v", one)
		}
		objects = append(objects, one)
	}
}

// values parses YAML into chart values.
func values(t *testing.T, text string) map[string]any {
	t.Helper()
	parsed := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &parsed); err != nil {
		t.Fatalf("values of the test: %v", err)
	}
	return parsed
}

// field follows a path of map keys and list indexes, parted by dots; a slash
// keeps the dots of a key, as in metadata.labels./app.kubernetes.io/name.
func field(from any, path string) any {
	for path != "" && from != nil {
		key, rest, _ := strings.Cut(path, ".")
		if whole, ok := strings.CutPrefix(path, "/"); ok {
			key, rest = whole, ""
		}
		switch node := from.(type) {
		case map[string]any:
			from = node[key]
		case []any:
			index := -1
			if _, err := fmt.Sscan(key, &index); err != nil || index < 0 || index >= len(node) {
				return nil
			}
			from = node[index]
		default:
			return nil
		}
		path = rest
	}
	return from
}

// find returns the object of a kind and name, or nil.
func find(objects []object, kind, name string) object {
	for _, one := range objects {
		if one["kind"] == kind && field(one, "metadata.name") == name {
			return one
		}
	}
	return nil
}

// inventory lists the objects as Kind/name, sorted.
func inventory(objects []object) []string {
	var list []string
	for _, one := range objects {
		list = append(list, fmt.Sprintf("%s/%s", one["kind"], field(one, "metadata.name")))
	}
	sort.Strings(list)
	return list
}
