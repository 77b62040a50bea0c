package causes

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"hearth/internal/diagnose"
	"hearth/internal/domain"
)

var update = flag.Bool("update", false, "write the reference of the diagnoses anew")

var causeName = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

// TestScenarios holds the causes to the domain's failure scenarios: each root
// cause there is exactly one here.
func TestScenarios(t *testing.T) {
	for _, scenario := range domain.FailureScenarios() {
		for _, root := range scenario.Causes {
			n := 0
			for _, c := range All() {
				if c.Scenario == root.Name && c.Section == scenario.Name {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%s, %s: told by %d causes", scenario.Name, root.Name, n)
			}
		}
	}
}

func TestCausesAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.Name] || !causeName.MatchString(c.Name) {
			t.Errorf("the name %q is taken, or no lower-case words joined by hyphens", c.Name)
		}
		seen[c.Name] = true
		for field, text := range map[string]string{"Title": c.Title, "Symptom": c.Symptom, "Evidence": c.Evidence, "Why": c.Why, "Fix": c.Fix} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: %s is empty", c.Name, field)
			}
			if strings.ContainsAny(text, "\n|") {
				t.Errorf("%s: %s does not fit into a table", c.Name, field)
			}
		}
		if strings.HasSuffix(c.Title, ".") {
			t.Errorf("%s: the title ends with a full stop", c.Name)
		}
	}
	for _, c := range All() {
		for _, name := range c.Unless {
			if !seen[name] {
				t.Errorf("%s yields to %q, which does not exist", c.Name, name)
			}
		}
	}
}

// TestReference keeps docs/diagnoses.md in step with the causes.
func TestReference(t *testing.T) {
	file := filepath.Join("..", "..", "..", "docs", "diagnoses.md")
	want := reference(All(), playedBy(t))
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date: go generate ./internal/diagnose/causes", file)
	}
}

// scenarios is where the example homelab's game days stand.
var scenarios = filepath.Join("..", "..", "..", "examples", "scenarios")

// playedBy tells of each cause which scenarios of the example show it, as
// links of the reference.
func playedBy(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(scenarios, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, c := range All() {
		known[c.Name] = true
	}
	played := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var scenario struct {
			Expect []struct {
				Cause string `yaml:"cause"`
			} `yaml:"expect"`
		}
		if err := yaml.Unmarshal(text, &scenario); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, e := range scenario.Expect {
			link := fmt.Sprintf("[%[1]s](../examples/scenarios/%[1]s)", filepath.Base(file))
			switch {
			case e.Cause == "":
			case !known[e.Cause]:
				t.Errorf("%s expects the cause %q, which does not exist", file, e.Cause)
			case !strings.Contains(played[e.Cause], link):
				played[e.Cause] = strings.TrimPrefix(played[e.Cause]+"<br>"+link, "<br>")
			}
		}
	}
	return played
}

// reference writes the page.
func reference(all []*diagnose.Cause, played map[string]string) []byte {
	var b bytes.Buffer
	b.WriteString("# Diagnoses\n\n<!-- Written by go generate ./internal/diagnose/causes: change the causes there. -->\n\n" +
		"What `hearth explain` recognises, with what it concludes from and what helps. How to ask is told in [explain.md](explain.md).\n\n" +
		"A diagnosis that *yields* is told where nothing stands upstream of it: a database that is not ready because its disk is full is told as the disk.\n\n" +
		"A scenario is played with `hearth rehearse --scenario examples/scenarios/FILE`: it makes the cause happen in the example homelab, and holds the diagnosis to it.\n\n" +
		"| diagnosis | what is wrong | the model's scenario | shown by | scenario |\n| --- | --- | --- | --- | --- |\n")
	for _, c := range all {
		scenario := "–"
		if c.Scenario != "" {
			scenario = c.Section + ": " + c.Scenario
		} else if c.Section != "" {
			scenario = c.Section
		}
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | `testdata/%s.yaml` | %s |\n", c.Name, c.Name, c.Title, scenario, c.Name, played[c.Name])
	}
	for _, c := range all {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n- **Symptom** %s\n- **Evidence** %s\n- **Cause** %s\n- **Fix** %s\n", c.Name, c.Title, c.Symptom, c.Evidence, c.Why, c.Fix)
		if c.Yields {
			b.WriteString("- Yields to causes upstream of it.\n")
		}
		if len(c.Unless) > 0 {
			unless := slices.Clone(c.Unless)
			for i, name := range unless {
				unless[i] = "[" + name + "](#" + name + ")"
			}
			fmt.Fprintf(&b, "- Not told of an object for which one of these is: %s.\n", strings.Join(unless, ", "))
		}
	}
	return b.Bytes()
}
