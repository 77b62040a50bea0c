package rule_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/repo"
	"hearth/internal/rule"
)

func TestSince(t *testing.T) {
	one := func(name, data string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: home}\ndata:\n" + data
	}
	for _, test := range []struct {
		name   string
		change func(t *testing.T, dir string)
		want   string
	}{
		{"nothing", func(*testing.T, string) {}, ""},
		{"lines that move", func(t *testing.T, dir string) {
			put(t, dir, "main/one.yaml", one("one", "  a: b\n  c: d\n  bad: value\n"))
		}, ""},
		{"a file that moves", func(t *testing.T, dir string) {
			put(t, dir, "main/moved.yaml", one("one", "  bad: value\n"))
			put(t, dir, "main/kustomization.yaml", "resources: [moved.yaml, two.yaml]\n")
		}, ""},
		{"another value", func(t *testing.T, dir string) { put(t, dir, "main/one.yaml", one("one", "  bad: worse\n")) }, "main/one.yaml:5:8 error bad-value: the value is bad\n"},
		{"another object", func(t *testing.T, dir string) {
			put(t, dir, "main/three.yaml", one("three", "  bad: value\n"))
			put(t, dir, "main/kustomization.yaml", "resources: [one.yaml, two.yaml, three.yaml]\n")
		}, "main/three.yaml:5:8 error bad-value: the value is bad\n"},
		{"a stricter configuration", func(t *testing.T, dir string) {
			put(t, dir, ".hearth.yaml", "clusters: {main: {path: main, entry: {path: main}}}\nrules: {named: warning}\n")
		}, "main/one.yaml:4:3 warning named: it has a name\nmain/two.yaml:4:3 warning named: it has a name\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := write(t, lab)
			commit(t, dir)
			test.change(t, dir)
			off := named()
			off.OffByDefault = true
			report, err := rule.Check(t.Context(), rule.Request{Path: dir, Since: "HEAD", Options: rule.Options{Rules: []*rule.Rule{badValue(), off}}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, lines(report.Findings)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSinceCountsAlike reports one of two findings that only their number tells apart.
func TestSinceCountsAlike(t *testing.T) {
	alike := &rule.Rule{Name: "alike", Severity: rule.Error, Check: func(p *rule.Pass) {
		for _, d := range p.Repository.Documents() {
			if d.Kind() == "ConfigMap" {
				p.Report(rule.Finding{Place: d.Place("data", "bad"), Message: "alike"})
			}
		}
	}}
	dir := write(t, lab)
	commit(t, dir)
	put(t, dir, "main/three.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: three}\ndata:\n  bad: value\n")
	report, err := rule.Check(t.Context(), rule.Request{Path: dir, Since: "HEAD", Options: rule.Options{Rules: []*rule.Rule{alike}}})
	if err != nil || len(report.Findings) != 1 {
		t.Errorf("%v, %v", report, err)
	}
}

// TestSinceHeedsTheGist leaves out a finding whose message tells another count
// than before.
func TestSinceHeedsTheGist(t *testing.T) {
	counting := &rule.Rule{Name: "counting", Severity: rule.Error, Check: func(p *rule.Pass) {
		documents := p.Repository.Documents()
		for _, d := range documents {
			if d.Kind() == "ConfigMap" {
				p.Report(rule.Finding{Place: d.Place("data", "bad"), Object: d.Ref(), Message: fmt.Sprintf("one of %d documents", len(documents)), Gist: "one of many"})
			}
		}
	}}
	dir := write(t, lab)
	commit(t, dir)
	put(t, dir, "main/three.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: three}\ndata:\n  bad: value\n")
	report, err := rule.Check(t.Context(), rule.Request{Path: dir, Since: "HEAD", Options: rule.Options{Rules: []*rule.Rule{counting}}})
	if err != nil || len(report.Findings) != 1 || report.Findings[0].Object.Name != "three" {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestSinceAFolderOfTheRepository(t *testing.T) {
	top := t.TempDir()
	if err := os.Rename(write(t, lab), filepath.Join(top, "lab")); err != nil {
		t.Fatal(err)
	}
	first := commit(t, top)
	put(t, top, "lab/main/one.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata:\n  bad: worse\n")
	commit(t, top)
	report, err := rule.Check(t.Context(), rule.Request{Path: filepath.Join(top, "lab"), Since: first[:10], Options: rule.Options{Rules: []*rule.Rule{badValue()}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("main/one.yaml:5:8 error bad-value: the value is bad\n", lines(report.Findings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSinceNothing(t *testing.T) {
	dir := write(t, lab)
	request := rule.Request{Path: dir, Since: "main~3", Options: rule.Options{Rules: []*rule.Rule{badValue()}}}
	for _, want := range []string{"is not under Git", "there is no such branch, tag or commit"} {
		_, err := rule.Check(t.Context(), request)
		var revision *repo.RevisionError
		if !errors.As(err, &revision) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `"main~3"`) {
			t.Errorf("got %v, want %s", err, want)
		}
		commit(t, dir)
	}
}

// TestSinceWithoutAHomelab counts everything as new where nothing was before.
func TestSinceWithoutAHomelab(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "README.md", "soon\n")
	commit(t, dir)
	if err := os.CopyFS(dir, os.DirFS(write(t, lab))); err != nil {
		t.Fatal(err)
	}
	report, err := rule.Check(t.Context(), rule.Request{Path: dir, Since: "HEAD", Options: rule.Options{Rules: []*rule.Rule{badValue()}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Findings) != 2 || len(report.Notes) != 1 || !strings.Contains(report.Notes[0].Text, "everything counts as new") {
		t.Errorf("%+v", report)
	}
}
