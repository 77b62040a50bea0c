package integration_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/helmrelease"
	"hearth/internal/source"
)

// cord is what connects the reconcilers with the API server. Once it is cut
// nothing gets through any more, as after a kill: what they would still write
// is lost.
type cord struct {
	// at tells at which request it is cut: before it is sent, or once it is answered.
	at   func(*http.Request) bool
	late bool

	once sync.Once
	cut  chan struct{}
}

func newCord(late bool, at func(*http.Request) bool) *cord {
	return &cord{at: at, late: late, cut: make(chan struct{})}
}

func (c *cord) wrap(config *rest.Config) {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(request *http.Request) (*http.Response, error) {
			due := c.at != nil && c.at(request)
			if due && !c.late {
				c.pull()
			}
			if c.isCut() {
				return nil, errors.New("the cord is cut")
			}
			response, err := next.RoundTrip(request)
			if due {
				c.pull()
			}
			return response, err
		})
	})
}

func (c *cord) pull() { c.once.Do(func() { close(c.cut) }) }

func (c *cord) isCut() bool {
	select {
	case <-c.cut:
		return true
	default:
		return false
	}
}

// await returns once it is cut.
func (c *cord) await(t *testing.T) {
	t.Helper()
	select {
	case <-c.cut:
	case <-time.After(patience):
		t.Fatal("it did not come to the moment of the fault")
	}
}

// tiedReleases starts reconcilers that hang on a cord.
func tiedReleases(t *testing.T, c *cord) *releases {
	t.Helper()
	r := startReleases(t)
	r.stop()
	r.wrap = c.wrap
	r.start()
	return r
}

// killed ends the reconcilers as they are, and starts others.
func (r *releases) killed(c *cord) {
	r.t.Helper()
	c.await(r.t.(*testing.T))
	r.stop()
	r.wrap = nil
	r.start()
}

// settled looks whether the storage of a release is sound: one revision is
// deployed, none is pending.
func (r *releases) settled(release string) {
	r.t.Helper()
	all, err := r.helm().Releases.History(release)
	if err != nil {
		r.t.Fatal(err)
	}
	deployed := 0
	for _, one := range all {
		rel := one.(*releasev1.Release)
		if rel.Info.Status.IsPending() {
			r.t.Errorf("revision %d is %s", rel.Version, rel.Info.Status)
		}
		if rel.Info.Status == common.StatusDeployed {
			deployed++
		}
	}
	if deployed != 1 {
		r.t.Errorf("%d revisions are deployed", deployed)
	}
}

// storing reports whether a request makes a release record of a revision.
func storing(revision string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/secrets") || r.Body == nil || r.GetBody == nil {
			return false
		}
		body, err := r.GetBody()
		if err != nil {
			return false
		}
		defer body.Close()
		text := new(strings.Builder)
		buffer := make([]byte, 4096)
		n, _ := body.Read(buffer)
		text.Write(buffer[:n])
		return strings.Contains(text.String(), "sh.helm.release.v1.") && strings.Contains(text.String(), ".v"+revision)
	}
}

// hookCounted is a chart whose hooks and objects are counted.
var hookCounted = files{
	"templates/hooks.yaml": configOf("pre", "a: b", "helm.sh/hook: pre-install, helm.sh/hook-delete-policy: before-hook-creation") + "---\n" +
		configOf("post", "a: b", "helm.sh/hook: post-install, helm.sh/hook-delete-policy: before-hook-creation"),
	"templates/config.yaml": configOf("c", "a: b", ""),
	"templates/job.yaml":    "{{ if .Values.job }}\n" + working["templates/job.yaml"] + "{{ end }}",
}

// TestHelmReleaseKilledBeforeStorage ends the process once the chart is
// rendered, and before anything of it is stored.
func TestHelmReleaseKilledBeforeStorage(t *testing.T) {
	t.Parallel()
	c := newCord(false, storing("1"))
	r := tiedReleases(t, c)
	r.push("counted", "1.0.0", hookCounted)
	ran := r.watchRuns()
	hr := r.release("demo", "counted", `{"job":false}`)
	c.await(t)
	if len(r.list()) != 0 {
		t.Error("something was stored")
	}
	r.killed(c)
	r.ready(hr)
	r.settled("demo")
	for _, name := range []string{"demo-pre", "demo-post", "demo-c"} {
		ran.settles(t, name, 1)
	}
	if got := r.revision("demo").Version; got != 1 {
		t.Errorf("revision %d", got)
	}
}

// TestHelmReleaseKilledBeforeReadiness ends the process while it waits for what
// it applied.
func TestHelmReleaseKilledBeforeReadiness(t *testing.T) {
	t.Parallel()
	c := newCord(false, nil)
	r := tiedReleases(t, c)
	r.push("counted", "1.0.0", hookCounted)
	ran := r.watchRuns()
	hr := r.release("demo", "counted", `{"job":true}`)
	r.await(hr, patience, "waiting", func() bool { return r.job("demo-work") })
	c.pull()
	if got := r.revision("demo").Info.Status; got != common.StatusPendingInstall {
		t.Errorf("the release is %s", got)
	}
	r.killed(c)
	r.event(hr, "PendingRelease")
	r.complete("demo-work")
	r.ready(hr)
	r.settled("demo")
	for _, name := range []string{"demo-pre", "demo-c", "demo-work"} {
		ran.settles(t, name, 1)
	}
}

// TestHelmReleaseKilledInARollback ends the process once the rollback is noted,
// and before it has changed anything.
func TestHelmReleaseKilledInARollback(t *testing.T) {
	t.Parallel()
	c := newCord(true, storing("3"))
	r := tiedReleases(t, c)
	r.push("later", "1.0.0", failingLater)
	hr := r.release("demo", "later", "", func(hr *helmv2.HelmRelease) {
		hr.Spec.Upgrade = &helmv2.Upgrade{Remediation: &helmv2.UpgradeRemediation{RemediateLastFailure: new(true)}}
	})
	r.ready(hr)
	ran := r.watchRuns()
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"port":0}`) })
	c.await(t)
	if got := r.revision("demo"); got.Info.Status != common.StatusPendingRollback || got.Version != 3 {
		t.Errorf("revision %d is %s", got.Version, got.Info.Status)
	}
	r.killed(c)
	r.stalled(hr)
	r.settled("demo")
	if got := r.configMap("demo-port")["port"]; got != "80" {
		t.Errorf("port %s", got)
	}
	ran.settles(t, "demo-back", 1)
	// And forward again.
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"port":81}`) })
	r.ready(hr)
	r.settled("demo")
}

// gate stands before a registry.
type registryGate struct {
	mode atomic.Pointer[func(http.ResponseWriter, *http.Request, http.Handler)]
}

// before returns the address of a gate before the registry of releases.
func (g *registryGate) before(r *releases) string {
	r.t.Helper()
	proxy := http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		out := request.Clone(request.Context())
		out.URL.Scheme, out.URL.Host, out.RequestURI = "http", r.registry, ""
		response, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		for key, values := range response.Header {
			w.Header()[key] = values
		}
		w.WriteHeader(response.StatusCode)
		buffer := make([]byte, 32<<10)
		for {
			n, err := response.Body.Read(buffer)
			if _, failed := w.Write(buffer[:n]); failed != nil || err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if mode := g.mode.Load(); mode != nil {
			(*mode)(w, request, proxy)
			return
		}
		proxy.ServeHTTP(w, request)
	}))
	r.t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func (g *registryGate) set(mode func(http.ResponseWriter, *http.Request, http.Handler)) {
	if mode == nil {
		g.mode.Store(nil)
		return
	}
	g.mode.Store(&mode)
}

// TestHelmReleaseRegistryFaults has a registry that is down, slow, and serves
// something else than what was pinned.
func TestHelmReleaseRegistryFaults(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	var gate registryGate
	host := gate.before(r)
	r.pushOnly("settings", "1.0.0", settings)
	r.pushOnly("settings", "1.1.0", files{"values.yaml": "greeting: later\n", "templates/config.yaml": settings["templates/config.yaml"]})
	pinned := func(version string) string {
		ref, err := name.ParseReference(r.registry+"/settings:"+version, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		image, err := remote.Image(ref)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := image.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return digest.String()
	}
	repository := &sourcev1.OCIRepository{}
	repository.Namespace, repository.Name = r.namespace, "settings"
	repository.Spec = sourcev1.OCIRepositorySpec{
		URL: "oci://" + host + "/settings", Insecure: true, Interval: *seconds(3600), Timeout: seconds(60),
		Reference:     &sourcev1.OCIRepositoryRef{Digest: pinned("1.0.0")},
		LayerSelector: &sourcev1.OCILayerSelector{MediaType: source.HelmChartLayer, Operation: sourcev1.OCILayerCopy},
	}

	// Slow: what has been asked is only answered when the test says so.
	var slow atomic.Int64
	answer := make(chan struct{})
	gate.set(func(w http.ResponseWriter, request *http.Request, next http.Handler) {
		slow.Add(1)
		select {
		case <-answer:
			next.ServeHTTP(w, request)
		case <-request.Context().Done():
		}
	})
	r.create(repository)
	hr := r.release("demo", "settings", "")
	r.await(hr, patience, "waiting for its chart", func() bool {
		return slow.Load() > 0 && conditions.GetReason(hr, meta.ReadyCondition) == "SourceNotReady"
	})
	close(answer)
	r.ready(hr)

	// Down: what runs goes on running.
	gate.set(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	r.change(repository, func() { repository.Spec.Reference = &sourcev1.OCIRepositoryRef{Digest: pinned("1.1.0")} })
	r.fails(repository, host)
	r.request(hr)
	if r.configMap("demo")["greeting"] != "hello" || r.revision("demo").Version != 1 {
		t.Error("the release has changed")
	}

	// Something else: under the digest that is asked for comes another image.
	old := pinned("1.0.0")
	gate.set(func(w http.ResponseWriter, request *http.Request, next http.Handler) {
		if before, _, found := strings.Cut(request.URL.Path, "/manifests/"); found {
			request.URL.Path = before + "/manifests/" + old
		}
		next.ServeHTTP(w, request)
	})
	r.change(repository, func() { repository.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "again"} })
	r.fails(repository, "does not match")
	r.request(hr)
	if r.configMap("demo")["greeting"] != "hello" || r.revision("demo").Version != 1 {
		t.Error("the release has changed")
	}

	// As it should be.
	gate.set(nil)
	r.change(repository, func() { repository.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "at last"} })
	r.await(hr, patience, "at 1.1.0", func() bool { return conditions.IsReady(hr) && r.configMap("demo")["greeting"] == "later" })
	if got := r.revision("demo"); got.Version != 2 {
		t.Errorf("revision %d", got.Version)
	}
}

// fails waits until a source says that it failed.
func (r *releases) fails(repository *sourcev1.OCIRepository, why string) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if err := r.client.Get(r.t.Context(), client.ObjectKeyFromObject(repository), repository); err != nil {
			r.t.Fatal(err)
		}
		if message := conditions.GetMessage(repository, meta.ReadyCondition); conditions.IsFalse(repository, meta.ReadyCondition) && strings.Contains(message, why) {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("the source does not fail with %q: %+v", why, repository.Status.Conditions)
		}
	}
}

// TestHelmReleaseOfAnEndlessTemplate gives a template up, once, and takes the
// chart that comes after it. The template waits for an answer of the API server
// that never comes.
func TestHelmReleaseOfAnEndlessTemplate(t *testing.T) {
	t.Parallel()
	r := startReleases(t)
	r.stop()
	r.wrap = func(config *rest.Config) {
		config.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(request *http.Request) (*http.Response, error) {
				if strings.HasSuffix(request.URL.Path, "/configmaps/never") {
					<-request.Context().Done()
					return nil, request.Context().Err()
				}
				return next.RoundTrip(request)
			})
		})
	}
	r.start(func(o *helmrelease.Options, _ *source.ChartOptions) { o.RenderTimeout = 10 * time.Second })
	r.push("endless", "1.0.0", files{"templates/a.yaml": "{{ lookup \"v1\" \"ConfigMap\" .Release.Namespace \"never\" }}\n" + configOf("late", "a: b", "")})
	hr := r.release("demo", "endless", "")
	r.stalled(hr)
	if got := conditions.GetReason(hr, meta.StalledCondition); got != "RenderTimeout" {
		t.Errorf("stalled for %s", got)
	}
	if got := conditions.GetMessage(hr, meta.ReadyCondition); !strings.Contains(got, "rendering the chart did not end within 10s") {
		t.Errorf("message %q", got)
	}
	r.push("endless", "1.1.0", files{"templates/a.yaml": configOf("soon", "a: b", "")})
	r.ready(hr)
	if !r.object(&corev1.ConfigMap{}, "demo-soon") || r.object(&corev1.ConfigMap{}, "demo-late") {
		t.Error("the wrong chart was released")
	}
}

// namedMaps is a chart of as many ConfigMaps as its values name.
var namedMaps = files{"templates/config.yaml": "{{ range .Values.names }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ . }}}\n---\n{{ end }}"}

// applying reports whether a request makes a ConfigMap.
func applying(name string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/configmaps/"+name) ||
			r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/configmaps")
	}
}

// TestHelmReleaseKilledInAnUpgrade ends the process in the middle of an
// upgrade, after which the release is to be something else: what only the
// interrupted upgrade made is deleted, and nothing else is.
func TestHelmReleaseKilledInAnUpgrade(t *testing.T) {
	t.Parallel()
	c := newCord(true, applying("late"))
	r := tiedReleases(t, c)
	r.push("named", "1.0.0", namedMaps)
	hr := r.release("demo", "named", `{"names":["first","both"]}`)
	r.ready(hr)
	foreign := &corev1.ConfigMap{}
	foreign.Namespace, foreign.Name = r.namespace, "foreign"
	r.create(foreign)
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"names":["both","late","never"]}`) })
	c.await(t)
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"names":["both","next"]}`) })
	r.killed(c)
	r.ready(hr)
	r.settled("demo")
	if diff := cmp.Diff([]string{"both", "foreign", "next"}, r.configMaps()); diff != "" {
		t.Errorf("ConfigMaps (-want +got):\n%s", diff)
	}
}

// TestHelmReleaseDeletedAfterAKill uninstalls a release whose upgrade was cut
// off: nothing of either revision is left.
func TestHelmReleaseDeletedAfterAKill(t *testing.T) {
	t.Parallel()
	c := newCord(true, applying("late"))
	r := tiedReleases(t, c)
	r.push("named", "1.0.0", namedMaps)
	hr := r.release("demo", "named", `{"names":["first","both"]}`)
	r.ready(hr)
	r.change(hr, func() { hr.Spec.Values = jsonOf(t, `{"names":["both","late","never"]}`) })
	c.await(t)
	if err := r.client.Delete(t.Context(), hr); err != nil {
		t.Fatal(err)
	}
	r.killed(c)
	r.gone(hr)
	if left := r.configMaps(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// configMaps returns the names of those in the namespace.
func (r *releases) configMaps() []string {
	r.t.Helper()
	var list corev1.ConfigMapList
	if err := r.client.List(r.t.Context(), &list, client.InNamespace(r.namespace)); err != nil {
		r.t.Fatal(err)
	}
	var names []string
	for _, one := range list.Items {
		if one.Name != "kube-root-ca.crt" {
			names = append(names, one.Name)
		}
	}
	return names
}
