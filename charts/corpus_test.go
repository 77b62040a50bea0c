package charts

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// corpus is a homelab repository that nobody tuned this chart to.
const corpus = "../../shared/corpora/k8s-homelab"

var variable = regexp.MustCompile(`\$\{[^}]*\}`)

// TestAppTemplateTakesTheValuesOfRealHomelabs renders every app-template
// release of the corpus.
func TestAppTemplateTakesTheValuesOfRealHomelabs(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skipf("no corpus at %s", corpus)
	}
	c := load(t, "app-template")
	rendered := 0
	err := filepath.WalkDir(corpus, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.Contains(string(data), "kind: HelmRelease") || !strings.Contains(string(data), "app-template") {
			return nil
		}
		for _, document := range strings.Split("\n"+string(data), "\n---") {
			release := object{}
			if err := yaml.Unmarshal(variable.ReplaceAll([]byte(document), []byte("word")), &release); err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			if release["kind"] != "HelmRelease" || field(release, "spec.chartRef.name") != "app-template" {
				continue
			}
			given, _ := field(release, "spec.values").(map[string]any)
			name, _ := field(release, "metadata.name").(string)
			rendered++
			t.Run(strings.TrimPrefix(path, corpus+"/"), func(t *testing.T) {
				objects, err := render(c, name, given)
				if err != nil {
					t.Fatal(err)
				}
				pods := 0
				for _, one := range objects {
					if field(one, "spec.template.spec.containers") != nil || field(one, "spec.jobTemplate.spec.template.spec.containers") != nil {
						pods++
					}
				}
				if controllers, _ := given["controllers"].(map[string]any); pods != len(controllers) {
					t.Errorf("%d workloads rendered from %d controllers: %v", pods, len(controllers), inventory(objects))
				}
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if rendered < 37 {
		t.Errorf("the corpus holds at least 37 app-template releases, %d were rendered", rendered)
	}
}
