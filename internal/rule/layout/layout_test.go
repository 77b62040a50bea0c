package layout

import (
	"cmp"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"hearth/internal/rule"
	"hearth/internal/rule/ruletest"
)

func TestRules(t *testing.T) { ruletest.Run(t, Rules) }

// finding returns the only finding of an archive.
func finding(t *testing.T, r *rule.Rule, name string) rule.Finding {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", r.Name, name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	found := ruletest.Findings(t, r, ruletest.Write(t, archive))
	if len(found) != 1 {
		t.Fatalf("%s: %d findings, want one: %v", name, len(found), found)
	}
	return found[0]
}

func TestFix(t *testing.T) {
	for _, test := range []struct {
		rule      *rule.Rule
		name, fix string
	}{
		{pathMissing, "renamed", "path: ./kubernetes/main/apps/immich/app"},
		{pathMissing, "case", "path: ./kubernetes/main/apps/immich/app"},
		{pathMissing, "file", "path: ./kubernetes/main/apps/immich/app"},
		{resourceMissing, "file", "helmrelease.yaml"},
		{resourceMissing, "unreached", ""},
		{pruneData, "database", "kustomize.toolkit.fluxcd.io/prune: disabled"},
	} {
		if f := finding(t, test.rule, test.name); f.Fix != test.fix {
			t.Errorf("%s %s: fix %q, want %q", test.rule.Name, test.name, f.Fix, test.fix)
		}
	}
}

func TestSeverity(t *testing.T) {
	for name, want := range map[string]rule.Severity{"differ": 0, "component": rule.Warning} {
		if f := finding(t, objectDuplicate, name); f.Severity != want && f.Severity != cmp.Or(want, objectDuplicate.Severity) {
			t.Errorf("%s: reported as %s, want %s", name, f.Severity, cmp.Or(want, objectDuplicate.Severity))
		}
	}
}

// TestOneCluster judges one cluster of two: what only the other one may reach
// is no orphan.
func TestOneCluster(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/manifest-orphan/overlays.txtar")
	if err != nil {
		t.Fatal(err)
	}
	pass := ruletest.Pass(t, manifestOrphan, ruletest.Write(t, archive))
	if len(pass.Clusters) != 2 {
		t.Fatalf("%d clusters, want 2", len(pass.Clusters))
	}
	for _, c := range pass.Clusters {
		one := *pass
		one.Clusters = []*rule.Cluster{c}
		manifestOrphan.Check(&one)
		for _, f := range one.Findings() {
			t.Errorf("%s alone: %s: %s", c.Name, f.Place, f.Message)
		}
	}
}
