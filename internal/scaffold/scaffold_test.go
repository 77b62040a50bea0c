package scaffold

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hearth/charts"
	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/rule"
	"hearth/internal/rule/rules"
	"hearth/internal/source"
)

const (
	example = "../../examples/homelab"
	corpus  = "../../../shared/corpora/k8s-homelab"
	digest  = "sha256:7795db623f55cef868bb9a460f7704836a3ca077d9be6ab6894916dc26be7722"
)

var image = Image{Repository: "ghcr.io/example/web", Tag: "1.0.0", Digest: digest}

// requests are applications of all kinds; the names tell them apart.
var requests = []Request{
	{Namespace: "media", Name: "least", Image: image},
	{Namespace: "self-hosted", Name: "inside", Image: image, Port: 8080, Expose: domain.LANExposure},
	{Namespace: "media", Name: "outside", Image: image, Port: 80, Expose: domain.PublicExposure, Host: "door"},
	{Namespace: "media", Name: "keeps", Image: image, Port: 80, Storage: []Storage{{Size: "10Gi"}, {Server: "nas.example.com", Path: "/volume1/media"}}},
	{Namespace: "downloads", Name: "knows", Image: image, Secrets: []string{"API_KEY", "token"}},
	{Namespace: "media", Name: "all", Image: image, Port: 3000, Database: true, Expose: domain.LANExposure, Secrets: []string{"TOKEN"}, Storage: []Storage{{Size: "2Gi"}}},
	{Namespace: "games", Name: "first", Image: image, Port: 3000, Database: true, Expose: domain.PublicExposure, Storage: []Storage{{Size: "2Gi"}}},
	{Namespace: "games", Name: "second", Image: image, Port: 3000},
}

// TestWhatIsWrittenPassesCheck writes applications of all kinds into homelabs,
// one after the other, and holds them to every rule.
func TestWhatIsWrittenPassesCheck(t *testing.T) {
	for dir, requests := range map[string][]Request{example: requests, corpus: requests[5:]} {
		t.Run(filepath.Base(filepath.Dir(dir)), func(t *testing.T) {
			if _, err := os.Stat(dir); err != nil {
				t.Skip("the homelab is not there:", err)
			}
			root := copyTree(t, dir)
			written := map[string]bool{}
			for _, r := range requests {
				plan := planFor(t, root, r)
				if err := plan.Write(root); err != nil {
					t.Fatal(err)
				}
				for _, f := range plan.Created {
					written[f.Path] = true
				}
			}
			r, found := checked(t, root)
			for _, f := range found {
				if written[f.Place.File] {
					t.Errorf("%s %s at %s: %s", f.Severity, f.Rule, f.Place, f.Message)
				}
			}
			reached(t, r, requests, written)
		})
	}
}

// reached holds that Flux reaches every file, and that every Kustomization and
// release of the applications can be built.
func reached(t *testing.T, r *repo.Repository, requests []Request, written map[string]bool) {
	t.Helper()
	state := build(t, r)
	for file := range written {
		if !state.Reached(file) {
			t.Errorf("nothing reaches %s", file)
		}
	}
	for _, request := range requests {
		if release := state.Release(request.Namespace, request.Name); release == nil {
			t.Errorf("%s/%s is no release of the cluster", request.Namespace, request.Name)
		} else if release.Err != nil || release.Chart == nil || len(release.Objects) == 0 {
			t.Errorf("%s/%s renders nothing: %v%s", request.Namespace, request.Name, release.Err, release.NotAtHand)
		}
	}
}

func checked(t *testing.T, root string) (*repo.Repository, []rule.Finding) {
	t.Helper()
	r := opened(t, root)
	report, err := rule.Run(t.Context(), r, rule.Options{Rules: rules.All(), Cluster: "main", Charts: atHand(t)})
	if err != nil {
		t.Fatal(err)
	}
	return r, report.Findings
}

func atHand(t testing.TB) func(*repo.Repository) (*source.Charts, error) {
	return func(r *repo.Repository) (*source.Charts, error) {
		return source.NewCharts(source.ChartOptions{
			Mapping: r.Config.Sources, Root: r.Root, CacheDir: filepath.Join(t.TempDir(), "charts"),
			Embedded: charts.FS, Offline: true, StandIn: true,
		})
	}
}

func build(t testing.TB, r *repo.Repository) *desired.State {
	t.Helper()
	cluster, err := r.Cluster("main")
	if err != nil {
		t.Fatal(err)
	}
	fetch, err := atHand(t)(r)
	if err != nil {
		t.Fatal(err)
	}
	state, err := desired.Build(context.Background(), r, cluster, desired.Options{Charts: fetch})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func opened(t testing.TB, root string) *repo.Repository {
	t.Helper()
	r, err := repo.Open(context.Background(), root, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func planFor(t testing.TB, root string, request Request) *Plan {
	t.Helper()
	state := build(t, opened(t, root))
	plan, err := New(state, graph.Build(state), request)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// copyTree copies a homelab, without what is no file.
func copyTree(t testing.TB, dir string) string {
	t.Helper()
	root := t.TempDir()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		below, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		to := filepath.Join(root, below)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// TestRefusals holds that what cannot be right is refused with a reason, and
// that nothing is planned.
func TestRefusals(t *testing.T) {
	state := build(t, opened(t, example))
	known := graph.Build(state)
	good := func(change func(*Request)) Request {
		r := Request{Namespace: "media", Name: "web", Image: image, Port: 8080}
		change(&r)
		return r
	}
	for _, c := range []struct {
		request Request
		want    string
	}{
		{good(func(r *Request) { r.Name = "immich" }), "media/immich exists in cluster main already"},
		{good(func(r *Request) { r.Name = "Web" }), `"Web" cannot be the name`},
		{good(func(r *Request) { r.Name = "../web" }), `"../web" cannot be the name`},
		{good(func(r *Request) { r.Namespace = ".." }), `".." cannot be the namespace`},
		{good(func(r *Request) { r.Namespace = "" }), `"" cannot be the namespace`},
		{good(func(r *Request) { r.Name = strings.Repeat("a", 54) }), "53 at most"},
		{good(func(r *Request) { r.Image = Image{} }), "needs an image"},
		{good(func(r *Request) { r.Port = 70000 }), "70000 is no port"},
		{good(func(r *Request) { r.Port, r.Expose = 0, "lan" }), "needs a port"},
		{good(func(r *Request) { r.Expose = "world" }), "none of public, lan, vpn"},
		{good(func(r *Request) { r.Host = "web.example.com" }), "give --expose, too"},
		{good(func(r *Request) { r.Host, r.Expose = "Web_1", "lan" }), `"Web_1" is no hostname`},
		{good(func(r *Request) { r.Tunnel = "abc" }), "give --expose vpn, too"},
		{good(func(r *Request) { r.Expose = "vpn" }), "--expose vpn needs DNS records from DNSEndpoint objects"},
		{good(func(r *Request) { r.Secrets = []string{"a-b"} }), `"a-b" cannot be a key`},
		{good(func(r *Request) { r.Secrets = []string{"A", "A"} }), `"A" cannot be a key`},
		{good(func(r *Request) { r.Storage = []Storage{{Size: "1Gi"}, {Size: "2Gi"}} }), "one claim and one NFS folder at most"},
	} {
		plan, err := New(state, known, c.request)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: the error is %v, want one with %q", c.request, err, c.want)
		}
		if plan != nil {
			t.Errorf("%+v: there is a plan beside the error", c.request)
		}
	}
}

// TestNothingElseChanges holds that a changed file gets lines, and loses none.
func TestNothingElseChanges(t *testing.T) {
	state := build(t, opened(t, example))
	for _, r := range requests[:7] {
		plan, err := New(state, graph.Build(state), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range plan.Changed {
			lines := strings.SplitAfter(string(f.After), "\n")
			added := f.added()
			if len(added) != 1 {
				t.Fatalf("%s gets the lines %q, want one", f.Path, added)
			}
			at := slices.Index(lines, added[0]+"\n")
			if rest := strings.Join(slices.Delete(lines, at, at+1), ""); rest != string(f.Before) {
				t.Errorf("%s changed elsewhere:\n%s", f.Path, f.After)
			}
		}
	}
}
