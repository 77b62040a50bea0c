package examples

import (
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"hearth/charts"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
)

// settings is .hearth.yaml.
func (h *homelab) settings(t *testing.T) object {
	return readYAML(t, filepath.Join(h.root, ".hearth.yaml"))[0]
}

// chart loads the chart that .hearth.yaml maps a URL to.
func (h *homelab) chart(t *testing.T, url string) *chart.Chart {
	t.Helper()
	target := text(h.settings(t), "sources", url)
	if target == "" {
		t.Fatalf(".hearth.yaml maps %s to nothing", url)
	}
	from := os.DirFS(filepath.Join(h.root, target))
	if embedded, ok := strings.CutPrefix(target, "hearth:"); ok {
		sub, err := fs.Sub(charts.FS, embedded)
		if err != nil {
			t.Fatal(err)
		}
		from = sub
	}
	var files []*archive.BufferedFile
	err := fs.WalkDir(from, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(from, path)
		files = append(files, &archive.BufferedFile{Name: path, Data: data})
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	loaded, err := loader.LoadFiles(files)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	if err := loaded.Validate(); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return loaded
}

// release is a HelmRelease with what its chart makes of its values.
type release struct {
	helm    object
	objects []object
	crds    []object
}

// releases renders every HelmRelease of the cluster.
func (h *homelab) releases(t *testing.T) []release {
	t.Helper()
	var found []release
	for _, helm := range h.all("HelmRelease") {
		ns := text(helm, "metadata", "namespace")
		source := "OCIRepository " + ns + "/" + text(helm, "spec", "chartRef", "name")
		repository, ok := h.objects[source]
		if !ok {
			t.Errorf("%s refers to %s, which nobody applies", name(helm), source)
			continue
		}
		loaded := h.chart(t, text(repository, "spec", "url"))
		if want, got := text(repository, "spec", "ref", "tag"), loaded.Metadata.Version; want != got {
			t.Errorf("%s asks for %s, and the chart is %s", source, want, got)
		}
		found = append(found, release{helm: helm, objects: render(t, loaded, helm), crds: crds(t, loaded)})
	}
	return found
}

func render(t *testing.T, loaded *chart.Chart, helm object) []object {
	t.Helper()
	given, _ := field(helm, "spec", "values").(map[string]any)
	options := common.ReleaseOptions{Name: text(helm, "metadata", "name"), Namespace: text(helm, "metadata", "namespace"), Revision: 1, IsInstall: true}
	values, err := util.ToRenderValues(loaded, given, options, nil)
	if err != nil {
		t.Fatalf("%s: %v", name(helm), err)
	}
	files, err := engine.Render(loaded, values)
	if err != nil {
		t.Fatalf("%s: %v", name(helm), err)
	}
	paths := make([]string, 0, len(files))
	for path := range files {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	var objects []object
	for _, path := range paths {
		objects = append(objects, documents(t, name(helm)+" "+path, files[path])...)
	}
	return objects
}

func crds(t *testing.T, loaded *chart.Chart) []object {
	t.Helper()
	var found []object
	for _, crd := range loaded.CRDObjects() {
		found = append(found, documents(t, crd.Filename, string(crd.File.Data))...)
	}
	return found
}
