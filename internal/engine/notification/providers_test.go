package notification

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/source/githubapp"
)

// sent is a request as a destination saw it.
type sent struct {
	method, path string
	header       http.Header
	body         string
}

// listener answers requests by what answers says for "METHOD path", and keeps
// them.
type listener struct {
	mu      sync.Mutex
	got     []sent
	answers map[string]string // status 200 and this text; "!503" means that status
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	key := r.Method + " " + r.URL.EscapedPath()
	l.got = append(l.got, sent{r.Method, r.URL.RequestURI(), r.Header.Clone(), string(body)})
	switch answer := l.answers[key]; {
	case answer == "!503":
		w.WriteHeader(http.StatusServiceUnavailable)
	case answer == "!401":
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "bad token "+r.Header.Get("Authorization")+r.Header.Get("PRIVATE-TOKEN"))
	case answer != "":
		_, _ = io.WriteString(w, answer)
	case r.Method == http.MethodGet:
		_, _ = io.WriteString(w, "[]")
	}
}

func (l *listener) requests() []sent {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]sent(nil), l.got...)
}

func sampleEvent(change ...func(*eventv1.Event)) *eventv1.Event {
	e := &eventv1.Event{
		InvolvedObject:      corev1.ObjectReference{APIVersion: "kustomize.toolkit.fluxcd.io/v1", Kind: "Kustomization", Namespace: "flux-system", Name: "apps"},
		Severity:            eventv1.EventSeverityInfo,
		Timestamp:           metav1.NewTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
		Message:             "Applied revision\nand more",
		Reason:              "ReconciliationSucceeded",
		Metadata:            map[string]string{"revision": "main@sha1:" + sha1Hash, "applied": "3", "summary": "home"},
		ReportingController: "kustomize-controller",
		ReportingInstance:   "hearth",
	}
	for _, f := range change {
		f(e)
	}
	return e
}

func failure(e *eventv1.Event) {
	e.Severity, e.Reason, e.Message = eventv1.EventSeverityError, "BuildFailed", "kustomize build failed"
}

func withReason(reason string) func(*eventv1.Event) {
	return func(e *eventv1.Event) { e.Reason = reason }
}

// newDestination leads to a server, with Hearth's own client.
func newDestination(url string) *destination {
	d := &destination{uid: "c4f1", address: url, guard: guard{private: true}, posted: newPosted(time.Minute), tokens: &githubapp.Tokens{}, statusID: "kustomization/apps/c4f1"}
	d.http = d.client(nil, nil)
	return d
}

const (
	githubList   = "GET /api/v3/repos/octocat/homelab/commits/" + sha1Hash + "/statuses"
	githubCreate = "POST /api/v3/repos/octocat/homelab/statuses/" + sha1Hash
	gitlabList   = "GET /api/v4/projects/group%2Fsub%2Fhomelab/repository/commits/" + sha1Hash + "/statuses"
	gitlabCreate = "POST /api/v4/projects/group%2Fsub%2Fhomelab/statuses/" + sha1Hash
	giteaList    = "GET /api/v1/repos/me/homelab/commits/" + sha1Hash + "/statuses"
	giteaCreate  = "POST /api/v1/repos/me/homelab/statuses/" + sha1Hash
)

func TestProvidersSendWhatTheyDocument(t *testing.T) {
	const fields = `[{"title":"applied","value":"3","short":false},{"title":"revision","value":"main@sha1:` + sha1Hash + `","short":false},{"title":"summary","value":"home","short":false}]`
	raw, err := json.Marshal(sampleEvent())
	if err != nil {
		t.Fatal(err)
	}
	event := string(raw)
	tests := map[string]struct {
		kind    string
		path    string
		change  func(*destination)
		event   *eventv1.Event
		answers map[string]string
		want    []string // METHOD path, in order
		body    string   // of the last request, as JSON
		header  map[string]string
		err     string
	}{
		"generic": {kind: "generic", path: "/hook?x=1", want: []string{"POST /hook?x=1"}, body: event,
			change: func(d *destination) { d.headers = map[string]string{"Authorization": "Bearer t", "X-Ntfy": "1"} },
			header: map[string]string{"Gotk-Component": "kustomize-controller", "Content-Type": "application/json", "Authorization": "Bearer t", "X-Ntfy": "1"}},
		"generic-hmac": {kind: "generic-hmac", path: "/hook", change: func(d *destination) { d.key = []byte("key") }, want: []string{"POST /hook"}, body: event,
			header: map[string]string{"X-Signature": "sha256=" + hmacOf("key", event)}},
		"generic-hmac without a token": {kind: "generic-hmac", path: "/hook", err: "no token"},
		"slack": {kind: "slack", path: "/services/T/B/x", change: func(d *destination) { d.channel, d.token = "homelab", "xoxb" }, want: []string{"POST /services/T/B/x"},
			body:   `{"channel":"homelab","username":"kustomize-controller","icon_url":"","icon_emoji":"","attachments":[{"fallback":"kustomization/apps.flux-system: Applied revision","color":"good","author_name":"kustomization/apps.flux-system","text":"Applied revision\nand more","mrkdwn_in":["text"],"fields":` + fields + `}]}`,
			header: map[string]string{"Authorization": "Bearer xoxb"}},
		"rocket": {kind: "rocket", path: "/hooks/x", event: sampleEvent(failure), change: func(d *destination) { d.channel, d.username = "homelab", "flux" }, want: []string{"POST /hooks/x"},
			body: `{"channel":"homelab","username":"flux","icon_url":"","icon_emoji":"","attachments":[{"color":"#FF0000","author_name":"kustomization/apps.flux-system","text":"kustomize build failed","mrkdwn_in":["text"],"fields":` + fields + `}]}`},
		"discord": {kind: "discord", path: "/api/webhooks/1/x", event: sampleEvent(failure), want: []string{"POST /api/webhooks/1/x/slack"},
			body: `{"username":"kustomize-controller","icon_url":"","icon_emoji":"","attachments":[{"color":"danger","author_name":"kustomization/apps.flux-system","text":"kustomize build failed","mrkdwn_in":["text"],"fields":` + fields + `}]}`},
		"discord, Slack's part named": {kind: "discord", path: "/api/webhooks/1/x/slack", want: []string{"POST /api/webhooks/1/x/slack"}},
		"matrix": {kind: "matrix", event: sampleEvent(failure), change: func(d *destination) { d.token, d.channel = "syt", "!jezptmDwEeLapMLjOc:matrix.org" },
			want:   []string{"PUT /_matrix/client/r0/rooms/%21jezptmDwEeLapMLjOc:matrix.org/send/m.room.message/"},
			body:   `{"body":"🚨 kustomization/apps.flux-system\nkustomize build failed\n- applied: 3\n- revision: main@sha1:` + sha1Hash + `\n- summary: home\n","msgtype":"m.text"}`,
			header: map[string]string{"Authorization": "Bearer syt"}},
		"matrix without a room": {kind: "matrix", change: func(d *destination) { d.token = "syt" }, err: "spec.channel"},
		"alertmanager": {kind: "alertmanager", path: "/api/v2/alerts/", change: func(d *destination) { d.username, d.password = "me", "pw" }, want: []string{"POST /api/v2/alerts/"},
			body:   `[{"status":"firing","labels":{"alertname":"FluxKustomizationReconciliationsucceeded","applied":"3","kind":"Kustomization","name":"apps","namespace":"flux-system","reason":"ReconciliationSucceeded","reportingcontroller":"kustomize-controller","revision":"main@sha1:` + sha1Hash + `","severity":"info"},"annotations":{"message":"Applied revision\nand more","summary":"home"},"startsAt":"2026-03-01T12:00:00Z"}]`,
			header: map[string]string{"Authorization": "Basic bWU6cHc="}},
		"alertmanager with a token": {kind: "alertmanager", path: "/a", change: func(d *destination) { d.token = "t" }, want: []string{"POST /a"}, header: map[string]string{"Authorization": "Bearer t"}},
		"github": {kind: "github", path: "/octocat/homelab.git", change: func(d *destination) { d.token = "ghp" }, want: []string{githubList + "?per_page=50", githubCreate},
			body:   `{"state":"success","context":"kustomization/apps/c4f1","description":"reconciliation succeeded"}`,
			header: map[string]string{"Authorization": "Bearer ghp", "Accept": "application/vnd.github+json"}},
		"github, a failure, by password": {kind: "github", path: "/octocat/homelab", event: sampleEvent(failure), change: func(d *destination) { d.password = "ghp" }, want: []string{githubList + "?per_page=50", githubCreate},
			body: `{"state":"failure","context":"kustomization/apps/c4f1","description":"build failed"}`},
		"github shows it already": {kind: "github", path: "/octocat/homelab", change: func(d *destination) { d.token = "ghp" }, want: []string{githubList + "?per_page=50"},
			answers: map[string]string{githubList: `[{"state":"failure","context":"other","description":"x"},{"state":"success","context":"kustomization/apps/c4f1","description":"reconciliation succeeded"}]`}},
		"github showed it before a failure": {kind: "github", path: "/octocat/homelab", change: func(d *destination) { d.token = "ghp" }, want: []string{githubList + "?per_page=50", githubCreate},
			answers: map[string]string{githubList: `[{"state":"failure","context":"kustomization/apps/c4f1","description":"x"},{"state":"success","context":"kustomization/apps/c4f1","description":"reconciliation succeeded"}]`}},
		"github, in progress":   {kind: "github", path: "/octocat/homelab", event: sampleEvent(withReason("Progressing")), change: func(d *destination) { d.token = "ghp" }},
		"github, no login":      {kind: "github", path: "/octocat/homelab", err: "neither a token"},
		"github, no repository": {kind: "github", path: "/octocat", change: func(d *destination) { d.token = "ghp" }, err: "OWNER/NAME"},
		"github, no commit":     {kind: "github", path: "/octocat/homelab", event: sampleEvent(func(e *eventv1.Event) { e.Metadata["revision"] = "1.2.3" }), err: "failed to extract commit hash"},
		"github, no revision":   {kind: "github", path: "/octocat/homelab", event: sampleEvent(func(e *eventv1.Event) { e.Metadata = nil }), err: "missing revision"},
		"github, the origin's revision": {kind: "github", path: "/octocat/homelab", event: sampleEvent(func(e *eventv1.Event) {
			e.Metadata["originRevision"] = e.Metadata["revision"]
			e.Metadata["revision"] = "latest@sha256:" + sha256Hash
		}), change: func(d *destination) { d.token = "ghp" }, want: []string{githubList + "?per_page=50", githubCreate}},
		"githubdispatch": {kind: "githubdispatch", path: "/octocat/homelab", change: func(d *destination) { d.token = "ghp" }, want: []string{"POST /api/v3/repos/octocat/homelab/dispatches"},
			body: `{"event_type":"Kustomization/apps.flux-system","client_payload":` + event + `}`},
		"gitlab": {kind: "gitlab", path: "/group/sub/homelab", change: func(d *destination) { d.token = "glpat" }, want: []string{gitlabList + "?name=kustomization%2Fapps%2Fc4f1", gitlabCreate},
			body:   `{"state":"success","name":"kustomization/apps/c4f1","description":"reconciliation succeeded"}`,
			header: map[string]string{"PRIVATE-TOKEN": "glpat"}},
		"gitlab, a failure": {kind: "gitlab", path: "/group/sub/homelab", event: sampleEvent(failure), change: func(d *destination) { d.token = "glpat" }, want: []string{gitlabList + "?name=kustomization%2Fapps%2Fc4f1", gitlabCreate},
			body: `{"state":"failed","name":"kustomization/apps/c4f1","description":"build failed"}`},
		"gitlab shows it already": {kind: "gitlab", path: "/group/sub/homelab", change: func(d *destination) { d.token = "glpat" }, want: []string{gitlabList + "?name=kustomization%2Fapps%2Fc4f1"},
			answers: map[string]string{gitlabList: `[{"sha":"` + sha1Hash + `","status":"success","name":"kustomization/apps/c4f1","description":"reconciliation succeeded","author":{}}]`}},
		"gitea": {kind: "gitea", path: "/me/homelab", change: func(d *destination) { d.token = "gta" }, want: []string{giteaList + "?limit=50&sort=recentupdate", giteaCreate},
			body:   `{"state":"success","target_url":"","context":"kustomization/apps/c4f1","description":"reconciliation succeeded"}`,
			header: map[string]string{"Authorization": "token gta"}},
		"gitea, in progress": {kind: "gitea", path: "/me/homelab", event: sampleEvent(withReason("Progressing")), change: func(d *destination) { d.token = "gta" }, want: []string{giteaList + "?limit=50&sort=recentupdate", giteaCreate},
			body: `{"state":"pending","target_url":"","context":"kustomization/apps/c4f1","description":"progressing"}`},
		"gitea shows it already": {kind: "gitea", path: "/me/homelab", event: sampleEvent(failure), change: func(d *destination) { d.token = "gta" }, want: []string{giteaList + "?limit=50&sort=recentupdate"},
			answers: map[string]string{giteaList: `[{"id":1,"status":"failure","context":"kustomization/apps/c4f1","description":"build failed"}]`}},
		"a server in trouble": {kind: "generic", path: "/hook", answers: map[string]string{"POST /hook": "!503"}, want: []string{"POST /hook"}, err: "status code 503"},
		"a refusal":           {kind: "gitlab", path: "/group/sub/homelab", change: func(d *destination) { d.token = "c4n4ry-glpat" }, answers: map[string]string{gitlabList: "!401"}, want: []string{gitlabList + "?name=kustomization%2Fapps%2Fc4f1"}, err: "status code 401"},
		"no JSON":             {kind: "github", path: "/octocat/homelab", change: func(d *destination) { d.token = "ghp" }, answers: map[string]string{githubList: "<html>"}, want: []string{githubList + "?per_page=50"}, err: "no JSON"},
		"another scheme":      {kind: "generic", change: func(d *destination) { d.address = "file:///etc/passwd" }, err: "no http or https URL"},
		"no address":          {kind: "slack", change: func(d *destination) { d.address = "" }, err: "no address"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := &listener{answers: test.answers}
			server := httptest.NewServer(l)
			defer server.Close()
			d := newDestination(server.URL + test.path)
			if test.change != nil {
				test.change(d)
			}
			if test.event == nil {
				test.event = sampleEvent()
			}
			post, err := kindOf(test.kind)
			if err != nil {
				t.Fatal(err)
			}
			err = post(t.Context(), d, test.event)
			if (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("error %v, want %q", err, test.err)
			}
			if err != nil && strings.Contains(err.Error(), "c4n4ry") {
				t.Errorf("the error tells a secret: %v", err)
			}
			got := l.requests()
			var paths []string
			for _, r := range got {
				path := r.path
				if test.kind == "matrix" {
					path = path[:strings.LastIndex(path, "/")+1]
				}
				paths = append(paths, r.method+" "+path)
			}
			if diff := cmp.Diff(test.want, paths); diff != "" {
				t.Fatalf("requests (-want +got):\n%s", diff)
			}
			if len(got) == 0 {
				return
			}
			last := got[len(got)-1]
			if test.body != "" {
				if diff := cmp.Diff(asJSON(t, test.body), asJSON(t, last.body)); diff != "" {
					t.Errorf("body (-want +got):\n%s", diff)
				}
			}
			for key, value := range test.header {
				if got := last.header.Get(key); got != value {
					t.Errorf("header %s is %q, want %q", key, got, value)
				}
			}
		})
	}
}

func asJSON(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestTheSameStatusIsSentOnce(t *testing.T) {
	l := &listener{}
	server := httptest.NewServer(l)
	defer server.Close()
	d := newDestination(server.URL + "/octocat/homelab")
	d.token = "ghp"
	for _, event := range []*eventv1.Event{sampleEvent(), sampleEvent(), sampleEvent(failure), sampleEvent()} {
		if err := postGitHub(t.Context(), d, event); err != nil {
			t.Fatal(err)
		}
	}
	var states []string
	for _, r := range l.requests() {
		if r.method == http.MethodPost {
			states = append(states, asJSON(t, r.body).(map[string]any)["state"].(string))
		}
	}
	if diff := cmp.Diff([]string{"success", "failure", "success"}, states); diff != "" {
		t.Errorf("states sent (-want +got):\n%s", diff)
	}
}

func TestSlacksAnswerIsJudged(t *testing.T) {
	for name, test := range map[string]struct {
		answer slackAnswer
		want   string
	}{
		"fine":            {slackAnswer{OK: true}, ""},
		"a refusal":       {slackAnswer{Error: "channel_not_found"}, "Slack refused the message: channel_not_found"},
		"for now":         {slackAnswer{Error: "ratelimited"}, "Slack refused the message for now: ratelimited"},
		"what is no code": {slackAnswer{Error: "your token c4n4ry is bad"}, "Slack refused the message"},
		"nothing at all":  {slackAnswer{}, "Slack refused the message"},
	} {
		got := ""
		if err := test.answer.err(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestUnservedTypesAreNamed(t *testing.T) {
	for _, kind := range []string{"telegram", "msteams", "azuredevops", "googlepubsub", "nats", "no such"} {
		if _, err := kindOf(kind); err == nil || !strings.Contains(err.Error(), kind) || !strings.Contains(err.Error(), "alertmanager, discord") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func hmacOf(key, body string) string { return sign(newSHA256, key, body) }
