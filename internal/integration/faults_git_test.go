package integration_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/source/gittest"
)

var twoConfigMaps = map[string]string{"apps/a.yaml": plain("a", "1"), "apps/b.yaml": plain("b", "1")}

func applyApps(l *lab) {
	l.kustomization("apps", "{}")
	l.ready("apps")
}

// TestFaultRepositoryVanishes takes the repository away: what it said last
// stays, and goes on being applied.
func TestFaultRepositoryVanishes(t *testing.T) {
	t.Parallel()
	l := startLab(t, twoConfigMaps)
	applyApps(l)
	before, artifact := l.uids(), l.source("there", func(*sourcev1.GitRepository) bool { return true }).Status.Artifact

	l.site.server.Put("/home.git", nil)
	gone := l.fetchFails("failed to checkout and determine revision")
	if gone.Status.Artifact == nil || gone.Status.Artifact.Digest != artifact.Digest {
		t.Errorf("the artifact was %v and is %v", artifact, gone.Status.Artifact)
	}
	l.told("home", "GitOperationFailed")
	if err := l.client.Delete(t.Context(), l.configMap("b")); err != nil {
		t.Fatal(err)
	}
	delete(before, "b")
	l.reconcile("apps")
	l.ready("apps")
	if !l.exists("b") {
		t.Error("what was deleted by hand did not come back from the last good revision")
	}
	l.keeps(before)

	l.site.server.Put("/home.git", l.site.repository)
	l.push(map[string]string{"apps/a.yaml": plain("a", "2")})
	l.ready("apps")
	l.keeps(before)
	l.equalsUndisturbed(applyApps)
}

// TestFaultForcePush replaces all history by an unrelated one, first one that
// has nothing at the path.
func TestFaultForcePush(t *testing.T) {
	t.Parallel()
	l := startLab(t, twoConfigMaps)
	applyApps(l)
	before := l.uids()

	l.site.commitOnly(gittest.Files{"README.md": gittest.Text("another repository\n")})
	l.fetch()
	l.failed("apps", meta.ArtifactFailedReason, "kustomization path not found")
	l.reconcile("apps")
	l.keeps(before)

	l.site.commitOnly(gittest.Files{"apps/a.yaml": gittest.Text(plain("a", "2")), "apps/c.yaml": gittest.Text(plain("c", "1"))})
	l.fetch()
	l.ready("apps")
	l.gone("b")
	delete(before, "b")
	l.keeps(before)
	l.equalsUndisturbed(applyApps)
}

// TestFaultPack spoils the packs that the server sends.
func TestFaultPack(t *testing.T) {
	t.Parallel()
	l := startLab(t, twoConfigMaps)
	applyApps(l)
	before := l.uids()
	l.site.commit(map[string]string{"apps/b.yaml": "", "apps/c.yaml": plain("c", "1")})
	for _, c := range []struct {
		name  string
		spoil func(pack []byte) []byte
	}{
		{"empty", func(pack []byte) []byte { return nil }},
		{"cut in its head", func(pack []byte) []byte { return pack[:6] }},
		{"cut in the middle", func(pack []byte) []byte { return pack[:len(pack)/2] }},
		{"without its sum", func(pack []byte) []byte { return pack[:len(pack)-20] }},
		{"with a bit turned", func(pack []byte) []byte {
			turned := append([]byte{}, pack...)
			turned[len(turned)/2] ^= 1
			return turned
		}},
	} {
		l.site.spoil.Store(&c.spoil)
		repo := l.fetchFails("failed to checkout and determine revision")
		if repo.Status.Artifact == nil || repo.Status.Artifact.Revision == l.site.revision {
			t.Errorf("of a pack that is %s the artifact is %v", c.name, repo.Status.Artifact)
		}
	}
	l.reconcile("apps")
	l.keeps(before)
	if l.exists("c") {
		t.Error("something of a spoilt pack was applied")
	}

	l.site.spoil.Store(nil)
	l.fetch()
	l.ready("apps")
	l.gone("b")
	l.equalsUndisturbed(applyApps)
}

// TestFaultBuild pushes what cannot be built: nothing of it is applied, nothing
// pruned, and the place is told. What can be built goes on.
func TestFaultBuild(t *testing.T) {
	t.Parallel()
	l := startLab(t, map[string]string{"apps/a.yaml": plain("a", "1"), "apps/b.yaml": plain("b", "1"), "other/o.yaml": plain("o", "1")})
	begin := func(l *lab) {
		l.kustomization("other", "{}")
		l.kustomization("apps", "{}")
		l.ready("other", "apps")
	}
	begin(l)
	before := l.uids()
	inventory := l.get("apps").Status.Inventory
	for _, broken := range []struct{ name, file, content, message string }{
		{"YAML", "apps/x.yaml", "apiVersion: v1\nkind: ConfigMap\n  metadata: [\n", "apps/x.yaml:3"},
		{"no kind", "apps/x.yaml", "apiVersion: v1\nmetadata: {name: x}\n", "apps/x.yaml"},
		{"kustomize", "apps/kustomization.yaml", "kind: Kustomization\nresources: [a.yaml, nowhere.yaml]\n", "nowhere.yaml"},
		{"outside", "apps/kustomization.yaml", "kind: Kustomization\nresources: [../../../etc]\n", "etc"},
		{"a patch", "apps/kustomization.yaml", "kind: Kustomization\nresources: [a.yaml]\npatches: [{target: {kind: ConfigMap, name: a}, patch: '[{op: replace, path: /data/none, value: x}]'}]\n", "none"},
		{"a variable", "apps/x.yaml", plain("x", "${UNDEFINED}"), "apps/x.yaml:6"},
		{"an object twice", "apps/x.yaml", plain("a", "2"), "a"},
	} {
		l.push(map[string]string{"apps/b.yaml": "", broken.file: broken.content, "other/o.yaml": plain("o", broken.name)})
		l.ready("other")
		l.until("apps", "failed by "+broken.name, func(k *kustomizev1.Kustomization) bool { return k.Status.LastAttemptedRevision == l.site.revision })
		failed := l.failed("apps", meta.BuildFailedReason, broken.message)
		if failed.Status.Inventory == nil || len(failed.Status.Inventory.Entries) != len(inventory.Entries) {
			t.Errorf("%s: the inventory is %v", broken.name, failed.Status.Inventory)
		}
		l.told("apps", "BuildFailed", broken.message)
		l.keeps(before)
		if got := l.configMap("o").Data["value"]; got != broken.name {
			t.Errorf("%s: the other Kustomization has %q", broken.name, got)
		}
		if strings.Contains(l.configMap("a").Data["value"], "2") {
			t.Errorf("%s: a was changed", broken.name)
		}
		l.site.commit(map[string]string{broken.file: ""})
	}
	l.push(map[string]string{"apps/c.yaml": plain("c", "1")})
	l.ready("apps")
	l.gone("b")
	l.equalsUndisturbed(begin)
}

// TestFaultEmpty tells what is empty on purpose, and prunes all as in Flux,
// from a path that is missing.
func TestFaultEmpty(t *testing.T) {
	t.Parallel()
	l := startLab(t, map[string]string{"apps/a.yaml": plain("a", "1"), "keep.yaml": plain("keep", "1")})
	applyApps(l)
	before := l.uids()

	l.push(map[string]string{"apps/a.yaml": ""})
	l.failed("apps", meta.ArtifactFailedReason, "kustomization path not found")
	l.reconcile("apps")
	l.keeps(before)

	l.push(map[string]string{"apps/README.md": "Nothing is here at the moment.\n"})
	empty := l.ready("apps")
	l.gone("a")
	if len(empty.Status.Inventory.Entries) != 0 {
		t.Errorf("the inventory is %v", empty.Status.Inventory)
	}
	l.told("apps", "ConfigMap/"+l.namespace+"/a deleted")
	l.push(map[string]string{"apps/a.yaml": plain("a", "1")})
	l.ready("apps")
	l.push(map[string]string{"apps/kustomization.yaml": "# nothing\n"})
	l.ready("apps")
	l.gone("a")
	l.push(map[string]string{"apps/kustomization.yaml": ""})
	l.ready("apps")
	l.equalsUndisturbed(applyApps)
}

// TestFaultForbiddenAddress points a source at an address of the cloud's
// metadata, directly and by a redirect: nobody asks it anything.
func TestFaultForbiddenAddress(t *testing.T) {
	t.Parallel()
	l := startLab(t, twoConfigMaps)
	applyApps(l)
	before := l.uids()
	leads := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/home.git/info/refs?service=git-upload-pack", http.StatusFound))
	t.Cleanup(leads.Close)
	for _, url := range []string{"http://169.254.169.254/latest/meta-data", "http://[fe80::1]/home.git", leads.URL + "/home.git"} {
		l.follow(url)
		repo := l.source("refused", func(r *sourcev1.GitRepository) bool {
			return r.Spec.URL == url && conditions.GetObservedGeneration(r, sourcev1.FetchFailedCondition) == r.Generation
		})
		if message := conditions.GetMessage(repo, sourcev1.FetchFailedCondition); !strings.Contains(message, "link-local") {
			t.Errorf("%s is refused with %q", url, message)
		}
		if repo.Status.Artifact == nil {
			t.Errorf("at %s the artifact is gone", url)
		}
	}
	l.reconcile("apps")
	l.keeps(before)
	l.follow(l.site.url)
	l.push(map[string]string{"apps/b.yaml": ""})
	l.ready("apps")
	l.gone("b")
	l.equalsUndisturbed(applyApps)
}

// follow changes the URL of the source.
func (l *lab) follow(url string) {
	l.t.Helper()
	repo := &sourcev1.GitRepository{ObjectMeta: metav1.ObjectMeta{Namespace: l.namespace, Name: "home"}}
	if err := l.client.Patch(l.t.Context(), repo, client.RawPatch(apitypes.MergePatchType, fmt.Appendf(nil, `{"spec":{"url":%q}}`, url))); err != nil {
		l.t.Fatal(err)
	}
}
