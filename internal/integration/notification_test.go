package integration_test

import (
	"bytes"
	stdcmp "cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"hearth/internal/engine/notification"
	"hearth/internal/kube/scheme"
)

// hookToken is the secret of the tests' webhooks and Providers.
const hookToken = "c4n4ry-hook-token"

// messenger runs the notification reconcilers in a namespace of their own.
type messenger struct {
	t         testing.TB
	namespace string
	client    client.Client
	news      *notification.Notifications
	url       string // of the webhooks
}

func startMessenger(t testing.TB, o notification.Options) *messenger {
	t.Helper()
	m := &messenger{t: t, namespace: namespace(t)}
	o.RetryBase = stdcmp.Or(o.RetryBase, time.Millisecond)
	here := cache.ByObject{Namespaces: map[string]cache.Config{m.namespace: {}}}
	ctrllog.SetLogger(logr.Discard())
	mgr, err := manager.New(cluster(t).Config(), manager.Options{
		Scheme: scheme.New(), Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{
			&notificationv1.Receiver{}: here, &notificationv1beta3.Provider{}: here, &notificationv1beta3.Alert{}: here, &corev1.Secret{}: here,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if m.news, err = notification.Setup(mgr, o); err != nil {
		t.Fatal(err)
	}
	if m.client, err = client.New(cluster(t).Config(), client.Options{Scheme: scheme.New()}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	url, served, err := m.news.Server().Listen(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	m.url = url
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		t.Fatal("the caches did not fill")
	}
	t.Cleanup(func() {
		m.noTokenWasTold()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the manager: %v", err)
		}
		<-served
	})
	return m
}

// apply creates objects from YAML, in the namespace.
func (m *messenger) apply(objects ...client.Object) {
	m.t.Helper()
	for _, obj := range objects {
		obj.SetNamespace(m.namespace)
		if err := m.client.Create(m.t.Context(), obj); err != nil {
			m.t.Fatalf("creating %T %s: %v", obj, obj.GetName(), err)
		}
	}
}

func named[T any](m *messenger, name, spec string, into *T, obj client.Object) client.Object {
	m.t.Helper()
	obj.SetName(name)
	if err := yaml.UnmarshalStrict([]byte(spec), into); err != nil {
		m.t.Fatal(err)
	}
	return obj
}

func (m *messenger) receiver(name, spec string) *notificationv1.Receiver {
	r := &notificationv1.Receiver{}
	m.apply(named(m, name, spec, &r.Spec, r))
	return r
}

func (m *messenger) provider(name, spec string) {
	p := &notificationv1beta3.Provider{}
	m.apply(named(m, name, spec, &p.Spec, p))
}

func (m *messenger) alert(name, spec string) {
	a := &notificationv1beta3.Alert{}
	m.apply(named(m, name, spec, &a.Spec, a))
}

func (m *messenger) secret(name string, data map[string]string) {
	m.apply(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: data})
}

func (m *messenger) repository(name string, labels map[string]string) *sourcev1.GitRepository {
	r := &sourcev1.GitRepository{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       sourcev1.GitRepositorySpec{URL: "https://git.example/" + name, Interval: metav1.Duration{Duration: time.Hour}},
	}
	m.apply(r)
	return r
}

// until waits until what is asked for holds; it says at the end why it does not.
func (m *messenger) until(what string, holds func() (bool, string)) {
	m.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		ok, why := holds()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("%s: %s", what, why)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// ready waits until the Receiver's Ready condition has a status and a reason.
func (m *messenger) ready(r *notificationv1.Receiver, status metav1.ConditionStatus, reason string) {
	m.t.Helper()
	m.until("Receiver "+r.Name, func() (bool, string) {
		if err := m.client.Get(m.t.Context(), client.ObjectKeyFromObject(r), r); err != nil {
			return false, err.Error()
		}
		c := conditions.Get(r, meta.ReadyCondition)
		return c != nil && c.Status == status && c.Reason == reason, fmt.Sprintf("%+v", r.Status)
	})
	if r.Status.WebhookPath != "" {
		m.until("the webhook's path", func() (bool, string) {
			got := m.get(r.Status.WebhookPath)
			return got == http.StatusMethodNotAllowed, fmt.Sprint("status ", got)
		})
	}
}

// requested returns what asked a repository to reconcile last.
func (m *messenger) requested(name string) string {
	m.t.Helper()
	var r sourcev1.GitRepository
	if err := m.client.Get(m.t.Context(), client.ObjectKey{Namespace: m.namespace, Name: name}, &r); err != nil {
		m.t.Fatal(err)
	}
	return r.Annotations[meta.ReconcileRequestAnnotation]
}

// post sends a body to a path of the webhook server and returns the status.
func (m *messenger) post(path, body string, header map[string]string) int {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.url+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	for key, value := range header {
		req.Header.Set(key, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || len(text) > 0 {
		m.t.Errorf("the answer says %q (%v), want nothing", text, err)
	}
	return resp.StatusCode
}

// get asks for a path of the webhook server, which nobody should, and returns
// the status.
func (m *messenger) get(path string) int {
	m.t.Helper()
	resp, err := http.Get(m.url + path)
	if err != nil {
		m.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func signed(body string) string {
	mac := hmac.New(sha256.New, []byte(hookToken))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func githubHeaders(body, id string) map[string]string {
	return map[string]string{"X-Hub-Signature-256": signed(body), "X-GitHub-Event": "push", "X-GitHub-Delivery": id, "Content-Type": "application/json"}
}

// events returns "REASON MESSAGE" of the Kubernetes events about an object.
func (m *messenger) events(kind, name string) []string {
	m.t.Helper()
	var list corev1.EventList
	if err := m.client.List(m.t.Context(), &list, client.InNamespace(m.namespace)); err != nil {
		m.t.Fatal(err)
	}
	var found []string
	for _, e := range list.Items {
		if e.InvolvedObject.Kind == kind && e.InvolvedObject.Name == name {
			found = append(found, e.Reason+" "+e.Message)
		}
	}
	return found
}

// told waits for an event about an object.
func (m *messenger) told(kind, name string, parts ...string) {
	m.t.Helper()
	m.until("event about "+kind+" "+name, func() (bool, string) {
		all := m.events(kind, name)
		for _, e := range all {
			ok := true
			for _, part := range parts {
				ok = ok && strings.Contains(e, part)
			}
			if ok {
				return true, ""
			}
		}
		return false, fmt.Sprintf("want one with %q, have %q", parts, all)
	})
}

// noTokenWasTold looks for secrets where none may be.
func (m *messenger) noTokenWasTold() {
	var events corev1.EventList
	var receivers notificationv1.ReceiverList
	for _, list := range []client.ObjectList{&events, &receivers} {
		if err := m.client.List(context.Background(), list, client.InNamespace(m.namespace)); err != nil {
			m.t.Error(err)
		}
		raw, err := json.Marshal(list)
		if err != nil || bytes.Contains(raw, []byte("c4n4ry")) {
			m.t.Errorf("a secret was told (%v): %s", err, raw)
		}
	}
}

const oneRepository = `{type: github, events: [push], secretRef: {name: token}, resources: [{kind: GitRepository, name: one}]}`

func TestAReceiversWebhookAsksForReconciles(t *testing.T) {
	m := startMessenger(t, notification.Options{})
	m.secret("token", map[string]string{"token": hookToken})
	for name, labels := range map[string]map[string]string{"one": nil, "two": {"team": "home"}, "three": {"team": "home"}, "four": {"team": "work"}} {
		m.repository(name, labels)
	}
	r := m.receiver("hook", `{type: github, events: [push], secretRef: {name: token}, resources: [{kind: GitRepository, name: one}, {kind: GitRepository, apiVersion: source.toolkit.fluxcd.io/v1, name: "*", matchLabels: {team: home}}]}`)
	m.ready(r, metav1.ConditionTrue, meta.SucceededReason)
	if r.Status.WebhookPath != r.GetWebhookPath(hookToken) {
		t.Errorf("the path is %s, want %s", r.Status.WebhookPath, r.GetWebhookPath(hookToken))
	}
	body := `{"ref":"refs/heads/main"}`
	if got := m.post(r.Status.WebhookPath, body, githubHeaders(body, "1")); got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	for name, want := range map[string]bool{"one": true, "two": true, "three": true, "four": false} {
		if got := m.requested(name) != ""; got != want {
			t.Errorf("%s was asked to reconcile: %v, want %v", name, got, want)
		}
	}
}

// TestAReceiverOfAnIssuerNeedsNoToken gives it a path that follows from its
// name, and refuses who proves nothing.
func TestAReceiverOfAnIssuerNeedsNoToken(t *testing.T) {
	m := startMessenger(t, notification.Options{})
	m.repository("one", nil)
	r := m.receiver("hook", `{type: generic-oidc, oidcProviders: [{issuerURL: "https://issuer.example", validations: [{expression: "claims.sub == 'me'", message: "not me"}]}], resources: [{kind: GitRepository, name: one}]}`)
	m.ready(r, metav1.ConditionTrue, meta.SucceededReason)
	if r.Status.WebhookPath != r.GetWebhookPath("") {
		t.Errorf("the path is %s, want %s", r.Status.WebhookPath, r.GetWebhookPath(""))
	}
	if got := m.post(r.Status.WebhookPath, "{}", map[string]string{"Authorization": "Bearer a.b.c"}); got != http.StatusBadRequest {
		t.Errorf("status %d", got)
	}
	if m.requested("one") != "" {
		t.Error("it was acted on")
	}
}

func TestAReplayIsAnsweredAndNotActedOn(t *testing.T) {
	m := startMessenger(t, notification.Options{})
	m.secret("token", map[string]string{"token": hookToken})
	m.repository("one", nil)
	r := m.receiver("hook", oneRepository)
	m.ready(r, metav1.ConditionTrue, meta.SucceededReason)
	body, other := `{"after":"1"}`, `{"after":"2"}`
	step := func(what, body, id string, acted bool) {
		t.Helper()
		before := m.requested("one")
		if got := m.post(r.Status.WebhookPath, body, githubHeaders(body, id)); got != http.StatusOK {
			t.Errorf("%s: status %d", what, got)
		}
		if got := m.requested("one") != before; got != acted {
			t.Errorf("%s was acted on: %v, want %v", what, got, acted)
		}
	}
	step("a delivery", body, "1", true)
	step("the same again", body, "1", false)
	step("the same body under another name", body, "2", false)
	step("another delivery", other, "3", true)
}

func TestAFailedDeliveryMayBeSentAgain(t *testing.T) {
	m := startMessenger(t, notification.Options{})
	m.secret("token", map[string]string{"token": hookToken})
	r := m.receiver("hook", oneRepository)
	m.ready(r, metav1.ConditionTrue, meta.SucceededReason)
	body := `{"after":"1"}`
	if got := m.post(r.Status.WebhookPath, body, githubHeaders(body, "1")); got != http.StatusInternalServerError {
		t.Fatalf("status %d without the repository", got)
	}
	m.repository("one", nil)
	if got := m.post(r.Status.WebhookPath, body, githubHeaders(body, "1")); got != http.StatusOK || m.requested("one") == "" {
		t.Errorf("status %d, asked for %q", got, m.requested("one"))
	}
}

func TestWebhooksAreRefused(t *testing.T) {
	m := startMessenger(t, notification.Options{NoCrossNamespaceRefs: true})
	m.secret("token", map[string]string{"token": hookToken})
	m.repository("one", nil)
	r := m.receiver("hook", oneRepository)
	asleep := m.receiver("asleep", oneRepository)
	across := m.receiver("across", `{type: generic, secretRef: {name: token}, resources: [{kind: GitRepository, name: one, namespace: default}]}`)
	versionless := m.receiver("versionless", `{type: generic, secretRef: {name: token}, resources: [{kind: Kustomization, name: one}]}`)
	for _, r := range []*notificationv1.Receiver{r, asleep, across, versionless} {
		m.ready(r, metav1.ConditionTrue, meta.SucceededReason)
	}
	asleep.Spec.Suspend = true
	if err := m.client.Update(t.Context(), asleep); err != nil {
		t.Fatal(err)
	}
	body := `{"after":"1"}`
	good := githubHeaders(body, "1")
	bad := githubHeaders(body+" ", "1")
	ping := githubHeaders(body, "1")
	ping["X-GitHub-Event"] = "ping"
	large := strings.Repeat("x", 3<<20+1)
	for name, test := range map[string]struct {
		path, body string
		header     map[string]string
		want       int
	}{
		"an unknown path":      {"/hook/" + strings.Repeat("0", 64), body, good, 404},
		"the path's beginning": {"/hook/", body, good, 404},
		"the wrong signature":  {r.Status.WebhookPath, body, bad, 400},
		"no signature":         {r.Status.WebhookPath, body, nil, 400},
		"another event":        {r.Status.WebhookPath, body, ping, 400},
		"a body too large":     {r.Status.WebhookPath, large, githubHeaders(large, "2"), 413},
		"another namespace":    {across.Status.WebhookPath, body, nil, 500},
		"no API version":       {versionless.Status.WebhookPath, body, nil, 500},
	} {
		if got := m.post(test.path, test.body, test.header); got != test.want {
			t.Errorf("%s: status %d, want %d", name, got, test.want)
		}
	}
	m.until("a suspended Receiver", func() (bool, string) {
		got := m.post(asleep.Status.WebhookPath, body, good)
		return got == http.StatusServiceUnavailable, fmt.Sprint("status ", got)
	})
	if got := m.get(r.Status.WebhookPath); got != http.StatusMethodNotAllowed {
		t.Errorf("GET: status %d, want 405", got)
	}
	if _, _, err := m.news.Server().Listen(t.Context(), "0.0.0.0:0"); err == nil {
		t.Error("the webhooks listen beyond loopback")
	}
}

// TestAStatusOpensNoPath writes a path into a status, as anyone could who may
// write statuses.
func TestAStatusOpensNoPath(t *testing.T) {
	m := startMessenger(t, notification.Options{})
	m.secret("token", map[string]string{"token": hookToken})
	m.repository("one", nil)
	r := m.receiver("hook", `{type: generic, secretRef: {name: token}, resources: [{kind: GitRepository, name: one}]}`)
	m.ready(r, metav1.ConditionTrue, meta.SucceededReason)
	own := r.Status.WebhookPath
	r.Status.WebhookPath = r.GetWebhookPath("")
	if err := m.client.Status().Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got := m.post(r.GetWebhookPath(""), "", nil); got != http.StatusNotFound {
		t.Errorf("the written path: status %d, want 404", got)
	}
	if got := m.post(own, "", nil); got != http.StatusOK {
		t.Errorf("the Receiver's own path: status %d, want 200", got)
	}
}

func TestAResourceFilterChooses(t *testing.T) {
	m := startMessenger(t, notification.Options{})
	m.secret("token", map[string]string{"token": hookToken})
	m.repository("one", map[string]string{"team": "home"})
	m.repository("two", map[string]string{"team": "home"})
	r := m.receiver("hook", `{type: quay, secretRef: {name: token}, resourceFilter: "req.repository == res.metadata.name", resources: [{kind: GitRepository, name: "*", matchLabels: {team: home}}]}`)
	m.ready(r, metav1.ConditionTrue, meta.SucceededReason)
	if got := m.post(r.Status.WebhookPath, `{"repository":"two"}`, map[string]string{"Content-Type": "application/json"}); got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	if m.requested("one") != "" || m.requested("two") == "" {
		t.Errorf("asked: one %q, two %q", m.requested("one"), m.requested("two"))
	}
}

func TestAReceiverFollowsItsToken(t *testing.T) {
	m := startMessenger(t, notification.Options{})
	r := m.receiver("hook", oneRepository)
	m.ready(r, metav1.ConditionFalse, notificationv1.TokenNotFoundReason)
	if r.Status.WebhookPath != "" || !conditions.IsTrue(r, meta.ReconcilingCondition) {
		t.Errorf("status without a token: %+v", r.Status)
	}
	m.secret("token", map[string]string{"token": hookToken})
	m.ready(r, metav1.ConditionTrue, meta.SucceededReason)
	first := r.Status.WebhookPath
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "token", Namespace: m.namespace}}
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"stringData":{"token":"c4n4ry-new"}}`))
	if err := m.client.Patch(t.Context(), secret, patch); err != nil {
		t.Fatal(err)
	}
	m.until("the new path", func() (bool, string) {
		if err := m.client.Get(t.Context(), client.ObjectKeyFromObject(r), r); err != nil {
			return false, err.Error()
		}
		return r.Status.WebhookPath == r.GetWebhookPath("c4n4ry-new") && r.Status.WebhookPath != first, r.Status.WebhookPath
	})
	r.Annotations = map[string]string{meta.ReconcileRequestAnnotation: "now"}
	if err := m.client.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	m.until("the request", func() (bool, string) {
		m.ready(r, metav1.ConditionTrue, meta.SucceededReason)
		return r.Status.LastHandledReconcileAt == "now", r.Status.LastHandledReconcileAt
	})
	m.told("Receiver", "hook", "Succeeded Reconciliation finished, next run in 10m0s")
}

func TestReceiversThatCannotBeServedSayWhy(t *testing.T) {
	m := startMessenger(t, notification.Options{})
	m.secret("token", map[string]string{"token": hookToken})
	m.secret("empty", map[string]string{"token": ""})
	for name, test := range map[string]struct{ spec, reason, message string }{
		"gcr":    {`{type: gcr, secretRef: {name: token}, resources: [{kind: GitRepository, name: one}]}`, "UnsupportedType", `"gcr" are not served: use one of acr`},
		"filter": {`{type: generic, secretRef: {name: token}, resourceFilter: "((", resources: [{kind: GitRepository, name: one}]}`, meta.InvalidCELExpressionReason, "invalid resourceFilter"},
		"own":    {`{type: generic, secretRef: {name: token}, resources: [{kind: GitRepository, name: one, filter: "'x'"}]}`, meta.InvalidCELExpressionReason, "resources[0]"},
		"empty":  {`{type: generic, secretRef: {name: empty}, resources: [{kind: GitRepository, name: one}]}`, notificationv1.TokenNotFoundReason, "is empty"},
	} {
		r := m.receiver(name, test.spec)
		m.ready(r, metav1.ConditionFalse, test.reason)
		if got := conditions.GetMessage(r, meta.ReadyCondition); !strings.Contains(got, test.message) {
			t.Errorf("%s: %q, want %q", name, got, test.message)
		}
		if got := conditions.IsTrue(r, meta.StalledCondition); got != (name != "empty") {
			t.Errorf("%s is stalled: %v", name, got)
		}
	}
}

// settled waits until the reconcilers know all Alerts made so far: the news of
// one comes after that of those before it.
func (m *messenger) settled() {
	m.t.Helper()
	m.alert("last", `{providerRef: {name: none}, exclusionList: ["(("], eventSources: [{kind: Bucket, name: none}]}`)
	m.told("Alert", "last", "InvalidConfig failed to compile exclusion regex: ((")
}

// mailbox is what a Provider leads to.
type mailbox struct {
	mu       sync.Mutex
	bodies   []string
	headers  []http.Header
	statuses []int // of the answers, in order; 200 once they are used up
}

func (b *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bodies, b.headers = append(b.bodies, string(body)), append(b.headers, r.Header.Clone())
	if len(b.statuses) > 0 {
		w.WriteHeader(b.statuses[0])
		b.statuses = b.statuses[1:]
	}
}

func (b *mailbox) got() ([]string, []http.Header) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.bodies...), append([]http.Header(nil), b.headers...)
}

func (m *messenger) awaitMail(b *mailbox, n int) ([]string, []http.Header) {
	m.t.Helper()
	m.until(fmt.Sprintf("%d messages", n), func() (bool, string) {
		bodies, _ := b.got()
		return len(bodies) >= n, fmt.Sprint(bodies)
	})
	return b.got()
}

// kustomization is one that has just become Ready; it need not exist.
func (m *messenger) kustomization(name string) *kustomizev1.Kustomization {
	k := &kustomizev1.Kustomization{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: m.namespace, UID: "u1"}}
	conditions.MarkTrue(k, meta.ReadyCondition, meta.ReconciliationSucceededReason, "fine")
	return k
}

const commit = "5394cb7f48332b2de7c17dd8b8384bbc84b7e738"

var atCommit = map[string]string{"kustomize.toolkit.fluxcd.io/revision": "main@sha1:" + commit}

const fromKustomizations = `eventSources: [{kind: Kustomization, name: "*"}]`

func TestAnAlertIsDelivered(t *testing.T) {
	t.Parallel()
	box := &mailbox{statuses: []int{503, 429}}
	server := httptest.NewServer(box)
	defer server.Close()
	m := startMessenger(t, notification.Options{Deliver: true, AllowPrivate: true, RetryBase: 300 * time.Millisecond})
	m.secret("login", map[string]string{"token": hookToken, "address": server.URL + "/c4n4ry-path\n", "headers": "X-Topic: homelab"})
	m.alert("all", `{providerRef: {name: hook}, eventMetadata: {cluster: main}, `+fromKustomizations+`}`)
	m.settled()
	r := m.news.Recorder("kustomize-controller")
	for range 3 { // the same thing is told once
		r.AnnotatedEventf(m.kustomization("apps"), atCommit, corev1.EventTypeNormal, meta.ReconciliationSucceededReason, "Reconciliation finished in 1s, next run in 1h")
	}
	m.provider("hook", `{type: generic-hmac, secretRef: {name: login}}`) // it may come late
	bodies, headers := m.awaitMail(box, 3)
	if len(bodies) != 3 || bodies[0] != bodies[2] {
		t.Fatalf("messages %q, want one that was tried three times", bodies)
	}
	if got := headers[2].Get("X-Signature"); got != signed(bodies[2]) {
		t.Errorf("signature %s, want %s", got, signed(bodies[2]))
	}
	if headers[2].Get("X-Topic") != "homelab" || headers[2].Get("Gotk-Component") != "kustomize-controller" {
		t.Errorf("headers %v", headers[2])
	}
	var event struct {
		Severity, Reason string
		Metadata         map[string]string
	}
	if err := json.Unmarshal([]byte(bodies[2]), &event); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"cluster": "main", "commit_status": "update", "applied": "0", "revision": "main@sha1:" + commit}
	if diff := cmp.Diff(want, event.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeDeliveredIsTold(t *testing.T) {
	box := &mailbox{statuses: []int{401}}
	server := httptest.NewServer(box)
	defer server.Close()
	m := startMessenger(t, notification.Options{Deliver: true, AllowPrivate: true})
	m.secret("login", map[string]string{"token": hookToken, "address": server.URL + "/c4n4ry"})
	m.secret("nowhere", map[string]string{"address": "http://169.254.169.254/c4n4ry"})
	m.provider("hook", `{type: generic, secretRef: {name: login}}`)
	m.provider("metadata", `{type: generic, secretRef: {name: nowhere}}`)
	m.provider("telegram", `{type: telegram, channel: x}`)
	m.provider("lonely", `{type: generic, secretRef: {name: missing}}`)
	for _, name := range []string{"hook", "metadata", "telegram", "lonely", "absent"} {
		m.alert(name, `{providerRef: {name: `+name+`}, `+fromKustomizations+`}`)
	}
	m.settled()
	m.told("Provider", "telegram", "InvalidConfig", `Providers of the type "telegram" are not served`)
	m.news.Recorder("kustomize-controller").AnnotatedEventf(m.kustomization("apps"), atCommit, corev1.EventTypeWarning, "BuildFailed", "broken")
	m.told("Alert", "hook", "NotificationDispatchFailed", "failed to send notification for Kustomization/"+m.namespace+"/apps", "status code 401")
	m.told("Alert", "metadata", "NotificationDispatchFailed", "which is a link-local, metadata or reserved address")
	m.told("Alert", "telegram", "NotificationDispatchFailed", "not served")
	m.told("Alert", "lonely", "NotificationDispatchFailed", "missing")
	m.told("Alert", "absent", "NotificationDispatchFailed", "failed to read provider")
	if bodies, _ := box.got(); len(bodies) != 1 {
		t.Errorf("what was refused for good was tried %d times", len(bodies))
	}
}

func TestARehearsalDeliversToNobody(t *testing.T) {
	box := &mailbox{}
	server := httptest.NewServer(box)
	defer server.Close()
	m := startMessenger(t, notification.Options{})
	m.provider("hook", `{type: generic, address: "`+server.URL+`"}`)
	m.provider("asleep", `{type: generic, suspend: true, address: "`+server.URL+`"}`)
	m.alert("all", `{providerRef: {name: hook}, `+fromKustomizations+`}`)
	m.alert("mute", `{providerRef: {name: asleep}, `+fromKustomizations+`}`)
	m.alert("sleeping", `{providerRef: {name: hook}, suspend: true, `+fromKustomizations+`}`)
	m.alert("errors", `{providerRef: {name: hook}, eventSeverity: error, `+fromKustomizations+`}`)
	m.settled()
	m.news.Recorder("kustomize-controller").AnnotatedEventf(m.kustomization("apps"), atCommit, corev1.EventTypeNormal, "Progressing", "Health check passed")
	m.told("Alert", "all", "NotificationWithheld would be sent to Provider hook (generic): info Kustomization/"+m.namespace+"/apps Progressing: Health check passed")
	m.news.Recorder("kustomize-controller").AnnotatedEventf(m.kustomization("apps"), atCommit, corev1.EventTypeWarning, "BuildFailed", "broken")
	m.told("Alert", "errors", "NotificationWithheld", "BuildFailed: broken")
	for _, quiet := range []string{"mute", "sleeping"} {
		if got := m.events("Alert", quiet); len(got) != 0 {
			t.Errorf("Alert %s: %q", quiet, got)
		}
	}
	if bodies, _ := box.got(); len(bodies) != 0 {
		t.Errorf("delivered: %q", bodies)
	}
}

func TestPrivateAddressesNeedAllowance(t *testing.T) {
	box := &mailbox{}
	server := httptest.NewServer(box)
	defer server.Close()
	m := startMessenger(t, notification.Options{Deliver: true})
	m.provider("hook", `{type: generic, address: "`+server.URL+`"}`)
	m.alert("all", `{providerRef: {name: hook}, `+fromKustomizations+`}`)
	m.settled()
	m.news.Recorder("kustomize-controller").AnnotatedEventf(m.kustomization("apps"), atCommit, corev1.EventTypeWarning, "BuildFailed", "broken")
	m.told("Alert", "all", "NotificationDispatchFailed", "refused to connect to the private address 127.0.0.1")
	if bodies, _ := box.got(); len(bodies) != 0 {
		t.Errorf("delivered: %q", bodies)
	}
}

func TestProvidersTrustAndProxies(t *testing.T) {
	box, proxied := &mailbox{}, &mailbox{}
	server := httptest.NewUnstartedServer(box)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // who does not trust it is expected
	server.StartTLS()
	defer server.Close()
	proxy := httptest.NewServer(proxied)
	defer proxy.Close()
	m := startMessenger(t, notification.Options{Deliver: true, AllowPrivate: true})
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	m.secret("ca", map[string]string{"ca.crt": string(ca)})
	m.secret("proxy", map[string]string{"address": proxy.URL, "username": "me", "password": "c4n4ry-proxy"})
	m.provider("trusted", `{type: generic, certSecretRef: {name: ca}, timeout: 5s, address: "`+server.URL+`"}`)
	m.provider("unknown", `{type: generic, address: "`+server.URL+`"}`)
	m.provider("proxied", `{type: generic, proxySecretRef: {name: proxy}, address: "http://127.0.0.1:9/through"}`)
	m.secret("old", map[string]string{"address": "http://127.0.0.1:9/old", "proxy": proxy.URL + "\n"})
	m.provider("old", `{type: generic, secretRef: {name: old}}`)
	m.provider("older", `{type: generic, address: "http://127.0.0.1:9/older", proxy: "`+proxy.URL+`"}`)
	for _, name := range []string{"trusted", "unknown", "proxied", "old", "older"} {
		m.alert(name, `{providerRef: {name: `+name+`}, `+fromKustomizations+`}`)
	}
	m.settled()
	m.news.Recorder("kustomize-controller").AnnotatedEventf(m.kustomization("apps"), atCommit, corev1.EventTypeWarning, "BuildFailed", "broken")
	m.awaitMail(box, 1)
	_, headers := m.awaitMail(proxied, 3)
	m.told("Alert", "unknown", "NotificationDispatchFailed", "certificate")
	logins := 0
	for _, header := range headers {
		if header.Get("Proxy-Authorization") != "" {
			logins++
		}
	}
	if logins != 1 {
		t.Errorf("the proxy got %d logins, want that of one Provider", logins)
	}
}

func TestAProviderThatDoesNotAnswerIsGivenUp(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the end of the connection is noticed
		<-r.Context().Done()
	}))
	defer server.Close()
	m := startMessenger(t, notification.Options{Deliver: true, AllowPrivate: true})
	m.provider("silent", `{type: generic, timeout: 50ms, address: "`+server.URL+`"}`)
	m.alert("all", `{providerRef: {name: silent}, `+fromKustomizations+`}`)
	m.settled()
	m.news.Recorder("kustomize-controller").AnnotatedEventf(m.kustomization("apps"), atCommit, corev1.EventTypeWarning, "BuildFailed", "broken")
	m.told("Alert", "all", "NotificationDispatchFailed", "deadline exceeded")
}

func TestDeletionIsNotHeldUpByFluxsFinalizer(t *testing.T) {
	m := startMessenger(t, notification.Options{})
	p := &notificationv1beta3.Provider{ObjectMeta: metav1.ObjectMeta{Name: "old", Finalizers: []string{"finalizers.fluxcd.io"}}, Spec: notificationv1beta3.ProviderSpec{Type: "generic"}}
	m.apply(p)
	if err := m.client.Delete(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	m.until("the deletion", func() (bool, string) {
		err := m.client.Get(t.Context(), client.ObjectKeyFromObject(p), p)
		return err != nil && client.IgnoreNotFound(err) == nil, fmt.Sprint(err)
	})
}
