package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hearth/internal/rehearsal"
)

// playScenarios plays scenarios, one after another, and prints each as it ends.
func playScenarios(ctx context.Context, p Process, o rehearsal.Options, paths []string, output string) error {
	if !slices.Contains([]string{"text", "json", "junit"}, output) {
		return fmt.Errorf("-o %q: scenarios are told as text, json or junit", output)
	}
	if len(o.Faults) > 0 {
		return fmt.Errorf("--fault and --scenario exclude each other: write the fault into a scenario")
	}
	scenarios, err := readScenarios(paths)
	if err != nil {
		return failure{exitMisuse, err}
	}
	var results []rehearsal.ScenarioResult
	err = rehearsal.RunScenarios(ctx, o, scenarios, func(r rehearsal.ScenarioResult) {
		results = append(results, r)
		if output == "text" {
			printScenario(p.Stdout, r)
		}
	})
	if err != nil {
		return stageFailure(err)
	}
	if err := printScenarios(p.Stdout, results, output); err != nil {
		return failure{exitFailed, fmt.Errorf("write the report: %w", err)}
	}
	if slices.ContainsFunc(results, func(r rehearsal.ScenarioResult) bool { return !r.Passed() }) {
		return failed
	}
	return nil
}

// readScenarios reads files, and the YAML files of folders, in order.
func readScenarios(paths []string) ([]*rehearsal.Scenario, error) {
	var scenarios []*rehearsal.Scenario
	for _, path := range paths {
		files := []string{path}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			if files, err = filepath.Glob(filepath.Join(path, "*.yaml")); err != nil {
				return nil, err
			}
			if len(files) == 0 {
				return nil, fmt.Errorf("--scenario %s: the folder has no .yaml files", path)
			}
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("--scenario: %w", err)
			}
			scenario, err := rehearsal.ParseScenario(file, text)
			if err != nil {
				return nil, err
			}
			scenarios = append(scenarios, scenario)
		}
	}
	return scenarios, nil
}

func printScenario(w io.Writer, r rehearsal.ScenarioResult) {
	paint := painter(colours(w))
	mark := paint.paint(green, "✓")
	if !r.Passed() {
		mark = paint.paint(red, "✗")
	}
	causes := strings.Join(r.Causes, ", ")
	fmt.Fprintf(w, "%s %s  %s  seen after %.1fs, back after %.1fs\n", mark, printable(r.Name), printable(causes), r.SeenSeconds, r.RecoveredSeconds)
	for _, missed := range r.Missed {
		fmt.Fprintf(w, "    %s\n", printable(missed))
	}
	if !r.Passed() {
		fmt.Fprintf(w, "    %s\n", r.File)
	}
}

func printScenarios(w io.Writer, results []rehearsal.ScenarioResult, output string) error {
	switch output {
	case "json":
		return printJSON(w, results)
	case "junit":
		return rehearsal.WriteScenariosJUnit(w, results)
	}
	passed := 0
	for _, r := range results {
		if r.Passed() {
			passed++
		}
	}
	_, err := fmt.Fprintf(w, "\n%d of %d scenarios went as expected\n", passed, len(results))
	return err
}
