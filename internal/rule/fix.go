package rule

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"

	"hearth/internal/manifest"
	"hearth/internal/manifest/edit"
	"hearth/internal/repo"
)

// maxRounds bounds how often what is left is fixed again: edits that get in
// each other's way are made one after the other.
const maxRounds = 5

// fix puts right what it can, and reports what is left.
func (q Request) fix(ctx context.Context) (*Report, error) {
	var past *Report
	var fixed []Finding
	for round := 0; ; round++ {
		r, err := repo.Open(ctx, q.Path, repo.Options{})
		if err != nil {
			return nil, err
		}
		if round == 0 {
			if past, err = q.past(ctx, r); err != nil {
				return nil, err
			}
		}
		report, err := q.judge(ctx, r, past)
		if err != nil {
			return report, err
		}
		var done []Finding
		if round < maxRounds {
			if done, err = fixFiles(r.Root, report.Findings); err != nil {
				return report, err
			}
		}
		fixed = append(fixed, done...)
		if len(done) == 0 {
			report.Fixed = without(fixed, report.Findings)
			return report, nil
		}
	}
}

// without returns the findings that are not among those that are left.
func without(fixed, left []Finding) []Finding {
	still := map[identity]bool{}
	for _, f := range left {
		still[identityOf(f)] = true
	}
	return slices.DeleteFunc(fixed, func(f Finding) bool { return still[identityOf(f)] })
}

// fixFiles makes the edits of findings, file by file, and returns the findings
// whose edits were all made.
func fixFiles(dir string, findings []Finding) ([]Finding, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening %s to fix it: %w", dir, err)
	}
	defer root.Close()
	f := fixer{root: root, before: map[string][]byte{}, edits: map[string][]edit.Edit{}, after: map[string][]byte{}}
	var done []Finding
	for _, finding := range findings {
		ok, err := f.take(finding)
		if err != nil {
			return nil, err
		}
		if ok {
			done = append(done, finding)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(f.after)) {
		if err := edit.WriteFile(root, file, f.after[file]); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// fixer gathers edits that get along with each other.
type fixer struct {
	root          *os.Root
	before, after map[string][]byte
	edits         map[string][]edit.Edit
}

// take adds a finding's edits, if they can all be made beside those that were
// taken before. What cannot be edited safely is left as it is.
func (f *fixer) take(finding Finding) (bool, error) {
	if len(finding.Edits) == 0 {
		return false, nil
	}
	edits, after := map[string][]edit.Edit{}, map[string][]byte{}
	for _, e := range finding.Edits {
		if edits[e.File] == nil {
			edits[e.File] = slices.Clone(f.edits[e.File])
		}
		if !slices.Contains(edits[e.File], e) {
			edits[e.File] = append(edits[e.File], e)
		}
	}
	for file, list := range edits {
		if info, err := f.root.Lstat(file); err != nil || !info.Mode().IsRegular() {
			return false, nil // a link's file is edited under its own name
		}
		before, err := f.read(file)
		if err != nil {
			return false, err
		}
		changed, err := edit.Apply(before, list...)
		if err != nil {
			return false, nil
		}
		after[file] = changed
	}
	maps.Copy(f.edits, edits)
	maps.Copy(f.after, after)
	return true, nil
}

func (f *fixer) read(file string) ([]byte, error) {
	if data, ok := f.before[file]; ok {
		return data, nil
	}
	data, err := manifest.Read(f.root, file)
	if err != nil {
		return nil, err
	}
	f.before[file] = data
	return data, nil
}
