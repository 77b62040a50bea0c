package rehearsal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/internal/domain"
)

// TestExampleScenarios reads the example's scenarios, and looks up in the
// example what they name.
func TestExampleScenarios(t *testing.T) {
	homelab := filepath.Join("..", "..", "examples", "homelab")
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "scenarios", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			scenario, err := ParseScenario(file, text)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range scenario.Expect {
				at, _, _ := strings.Cut(e.At, ":")
				overlaid := false
				for _, f := range scenario.faults {
					overlaid = overlaid || f.Kind == domain.FaultOverlay && exists(filepath.Join(f.Which, at))
				}
				if e.At != "" && !overlaid && !exists(filepath.Join(homelab, at)) {
					t.Errorf("the example has no %s", at)
				}
			}
			for _, f := range scenario.faults {
				edited, _, _ := strings.Cut(f.Which, ":")
				switch {
				case f.Kind == domain.FaultEdit && !exists(filepath.Join(homelab, edited)):
					t.Errorf("the example has no %s", edited)
				case f.Kind == domain.FaultOverlay && !exists(f.Which):
					t.Errorf("there is no folder %s", f.Which)
				}
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
