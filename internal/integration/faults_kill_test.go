package integration_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"hearth/internal/source"
)

const (
	killSeed     = 4
	revisions    = 10
	killsOfEach  = 2
	wholeHomelab = "root base apps media releases"
)

// TestFaultKilled kills the engine at twenty moments, spread over the install
// of a small homelab and its upgrades: at requests that change something, as
// they are sent or answered, and at any time. Each time it starts again on what
// it left behind.
func TestFaultKilled(t *testing.T) {
	t.Parallel()
	charts := serveCharts(t)
	s := newSite(t, homelab(charts, 1))
	l := s.newLab(t)
	begin := func(l *lab) {
		l.gitops.kustomization("root", fmt.Sprintf("{path: ./root, targetNamespace: %[1]s, retryInterval: 1s, postBuild: {substitute: {ns: %[1]s}}}", l.namespace))
	}
	begin(l)
	random := rand.New(rand.NewPCG(killSeed, 0))
	o := order{Kubeconfig: cluster(t).KubeconfigPath(), Namespace: l.namespace, Folder: l.engine.Folder}
	early := 0
	for revision := 1; revision <= revisions; revision++ {
		if revision > 1 {
			l.push(homelab(charts, revision))
		}
		for kill := range killsOfEach {
			o.Die, o.Late = 0, random.IntN(2) == 0
			after := time.Duration(random.IntN(2500)) * time.Millisecond
			if kill%2 == 0 {
				o.Die, after = 1+random.Int64N(60), patience
			}
			c := startChild(t, o)
			if l.settlesBefore(c, after) {
				early++
			}
			c.kill()
			wholeArtifacts(t, l.engine.Folder)
		}
	}
	t.Logf("%d of %d kills came when all was done", early, revisions*killsOfEach)

	o.Die = 0
	c := startChild(t, o)
	l.ready(strings.Fields(wholeHomelab)...)
	l.equalsUndisturbed(func(l *lab) {
		begin(l)
		l.ready(strings.Fields(wholeHomelab)...)
	})
	c.kill()
}

// settlesBefore waits until an engine has ended, its time is up, or all is as
// the site says, which it reports.
func (l *lab) settlesBefore(c *child, after time.Duration) bool {
	l.t.Helper()
	for deadline := time.Now().Add(after); time.Now().Before(deadline); {
		select {
		case <-c.ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
		if l.settled() {
			return true
		}
	}
	return false
}

func (l *lab) settled() bool {
	l.t.Helper()
	for _, name := range strings.Fields(wholeHomelab) {
		if !l.isReady(name) {
			return false
		}
	}
	return true
}

// homelab is five Kustomizations, two releases, and objects that only one
// revision has.
func homelab(charts string, revision int) map[string]string {
	files := map[string]string{}
	kustomization := func(name, more string) {
		files["root/"+name+".yaml"] = fmt.Sprintf("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: %[1]s}\nspec:\n  interval: 1h\n  retryInterval: 1s\n  prune: true\n  path: ./%[1]s\n  targetNamespace: ${ns}\n  postBuild: {substitute: {ns: \"${ns}\"}}\n  sourceRef: {kind: GitRepository, name: home}\n%[2]s", name, more)
	}
	kustomization("base", "")
	kustomization("apps", "  dependsOn: [{name: base}]\n")
	kustomization("media", "  dependsOn: [{name: base}]\n  wait: true\n")
	kustomization("releases", "  dependsOn: [{name: apps}, {name: media}]\n  wait: true\n  timeout: 2m\n")
	value := fmt.Sprint(revision)
	files["base/role.yaml"] = role
	files["base/settings.yaml"] = plain("settings", value)
	files["media/service.yaml"] = "apiVersion: v1\nkind: Service\nmetadata: {name: media}\nspec: {selector: {app: media}, ports: [{port: " + fmt.Sprint(8000+revision) + "}]}\n"
	files["media/library.yaml"] = plain("library", value)
	for i := range 8 {
		files[fmt.Sprintf("apps/app-%d.yaml", i)] = plain(fmt.Sprintf("app-%d", i), value)
	}
	for i := range 4 {
		only := fmt.Sprintf("only-%d-%d", revision, i)
		files["apps/"+only+".yaml"] = plain(only, value)
		files[fmt.Sprintf("apps/only-%d-%d.yaml", revision-1, i)] = ""
	}
	release := func(name, version, value string) {
		files["releases/"+name+".yaml"] = fmt.Sprintf("apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: %[1]s}\nspec: {url: \"oci://%[2]s/web\", insecure: true, interval: 1h, ref: {tag: %[3]s}, layerSelector: {mediaType: %[4]s, operation: copy}}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: %[1]s}\nspec:\n  interval: 1h\n  chartRef: {kind: OCIRepository, name: %[1]s}\n  values: {value: \"%[5]s\"}\n", name, charts, version, source.HelmChartLayer, value)
	}
	release("one", fmt.Sprintf("1.0.%d", revision), value)
	release("two", "1.0.1", fmt.Sprint(revision/2))
	return files
}

// serveCharts serves a tiny chart in a version for each revision.
func serveCharts(t *testing.T) (host string) {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	host = strings.TrimPrefix(server.URL, "http://")
	for i := 1; i <= revisions; i++ {
		version := fmt.Sprintf("1.0.%d", i)
		content := files{
			"templates/a.yaml":                       "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\ndata: {value: '{{ .Values.value }}', version: '{{ .Chart.Version }}'}\n",
			"templates/s.yaml":                       "apiVersion: v1\nkind: Service\nmetadata: {name: '{{ .Release.Name }}'}\nspec: {selector: {app: x}, ports: [{port: 80}]}\n",
			fmt.Sprintf("templates/only-%d.yaml", i): fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-only-%d'}\n", i),
		}
		layer := static.NewLayer(archiveOf(t, "web", version, content), types.MediaType(source.HelmChartLayer))
		image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layer)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := name.ParseReference(host+"/web:"+version, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(ref, image); err != nil {
			t.Fatal(err)
		}
	}
	return host
}

// wholeArtifacts looks whether each artifact that a store would serve is what
// its digest says.
func wholeArtifacts(t *testing.T, folder string) {
	t.Helper()
	store, err := source.OpenStore(filepath.Join(folder, "store"))
	if err != nil {
		t.Fatal(err)
	}
	trees, err := os.ReadDir(filepath.Join(folder, "store", "tree"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tree := range trees {
		answer := httptest.NewRecorder()
		store.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/gitrepository/a/b/"+tree.Name()+".tar.gz", nil))
		sum := sha256.Sum256(answer.Body.Bytes())
		if answer.Code != http.StatusOK || hex.EncodeToString(sum[:]) != tree.Name() {
			t.Errorf("an artifact is served that is not %s", tree.Name())
		}
	}
}
