package scaffold

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"hearth/internal/domain"
	"hearth/internal/rule/ruletest"
)

// TestConventions writes an application into a homelab with ways of its own,
// and holds each file to testdata/ways.txtar: other names of files and folders,
// all Kustomizations in one namespace, a chart's source beside each release,
// the same keys in all values, a class and gateways that only .hearth.yaml
// tells, a tunnel.
func TestConventions(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/ways.txtar")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	given := &txtar.Archive{}
	for _, f := range archive.Files {
		if name, isWanted := strings.CutPrefix(f.Name, "want/"); isWanted {
			want[name] = string(f.Data)
		} else {
			given.Files = append(given.Files, f)
		}
	}
	root := ruletest.Write(t, given)
	got := map[string]string{}
	for _, r := range []Request{
		{Namespace: "media", Name: "films", Image: image, Port: 8096, Expose: domain.PublicExposure, Secrets: []string{"TOKEN"}, Storage: []Storage{{Size: "5Gi"}}},
		{Namespace: "tools", Name: "notes", Image: image, Port: 80, Expose: domain.VPNExposure},
	} {
		plan := planFor(t, root, r)
		for _, f := range append(plan.Created, plan.Changed...) {
			got[f.Path] = string(f.After)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
