package inputprovider

import (
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/google/go-cmp/cmp"

	"hearth/internal/render/resourceset"
)

func sourceArtifact(revision string) *meta.Artifact { return &meta.Artifact{Revision: revision} }

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("exported (-want +got):\n%s", diff)
	}
}

func TestStaticInputs(t *testing.T) {
	w := newWorld(t)
	w.spec("{type: Static, defaultValues: {name: a, list: [1, two]}}")
	id := resourceset.ID("11111111-2222-3333-4444-555555555555")
	same(t, w.exports(), `{"id":"`+id+`","list":[1,"two"],"name":"a"}`)
	p, result := w.reconcile()
	if !strings.HasPrefix(p.Status.LastExportedRevision, "sha256:") || result.RequeueAfter != 10*time.Minute {
		t.Errorf("got revision %s, next run in %s", p.Status.LastExportedRevision, result.RequeueAfter)
	}
	w.spec("{type: Static, defaultValues: {name: b}}")
	again, _ := w.reconcile()
	if again.Status.LastExportedRevision == p.Status.LastExportedRevision {
		t.Error("other inputs have the same revision")
	}
}

func TestWhatDoesNotChangeIsNotWritten(t *testing.T) {
	w := newWorld(t)
	w.spec("{type: Static, defaultValues: {name: a}}")
	first, _ := w.reconcile()
	second, _ := w.reconcile()
	if first.ResourceVersion != second.ResourceVersion {
		t.Error("the second reconcile wrote something")
	}
	w.annotate("reconcile.fluxcd.io/requestedAt", "now")
	if third, _ := w.reconcile(); third.Status.LastHandledReconcileAt != "now" {
		t.Error("the request is not acknowledged")
	}
}

func TestAnnotationsOfAProvider(t *testing.T) {
	w := newWorld(t)
	w.spec("{type: Static}")
	w.annotate("fluxcd.controlplane.io/reconcileEvery", "7m")
	if _, result := w.reconcile(); result.RequeueAfter != 7*time.Minute {
		t.Errorf("next run in %s", result.RequeueAfter)
	}
	w.annotate("fluxcd.controlplane.io/reconcile", "disabled")
	w.spec("{type: Static, defaultValues: {a: b}}")
	if p, _ := w.reconcile(); len(p.Status.ExportedInputs[0]) != 1 {
		t.Error("a disabled provider is reconciled")
	}
}

const (
	sha1 = "1111111111111111111111111111111111111111"
	sha2 = "2222222222222222222222222222222222222222"
)

func login() map[string]string { return map[string]string{"username": "git", "password": "t0ken"} }

func TestGitHub(t *testing.T) {
	server := answers(t, "Bearer t0ken", map[string]string{
		"/api/v3/repos/owner/home/branches?page=1&per_page=100":         `next [{"name":"main","commit":{"sha":"` + sha1 + `"}},{"name":"dependabot/x","commit":{"sha":"` + sha2 + `"}}]`,
		"/api/v3/repos/owner/home/branches?page=2&per_page=100":         `[{"name":"feat/a","commit":{"sha":"` + sha2 + `"}}]`,
		"/api/v3/repos/owner/home/tags?page=1&per_page=100":             `[{"name":"v1.2.0","commit":{"sha":"` + sha1 + `"}},{"name":"v1.10.0","commit":{"sha":"` + sha2 + `"}},{"name":"v2.0.0-rc.1","commit":{"sha":"` + sha2 + `"}},{"name":"nightly","commit":{"sha":"` + sha2 + `"}}]`,
		"/api/v3/repos/owner/home/pulls?page=1&per_page=100&state=open": `[{"number":4,"title":"A change","head":{"ref":"feat/a","sha":"` + sha1 + `"},"user":{"login":"jo"},"labels":[{"name":"deploy"},{"name":"hold"}]},{"number":3,"title":"B","head":{"ref":"b","sha":"` + sha2 + `"},"user":{"login":"jo"},"labels":[]}]`,
	})
	server.Start()
	w := newWorld(t, secret("login", login()))
	base := "secretRef: {name: login}\nurl: " + server.URL + "/owner/home\n"
	w.spec(base + "type: GitHubBranch\nfilter: {excludeBranch: ^dependabot/}\ndefaultValues: {env: test}")
	same(t, w.exports(),
		`{"branch":"main","env":"test","id":"`+resourceset.ID("main")+`","sha":"`+sha1+`"}`,
		`{"branch":"feat/a","env":"test","id":"`+resourceset.ID("feat/a")+`","sha":"`+sha2+`"}`)
	w.spec(base + "type: GitHubBranch\nfilter: {includeBranch: ^main$}")
	same(t, w.exports(), `{"branch":"main","id":"`+resourceset.ID("main")+`","sha":"`+sha1+`"}`)
	w.spec(base + "type: GitHubTag\nfilter: {semver: '>= 1.0.0', limit: 1}")
	same(t, w.exports(), `{"id":"`+resourceset.ID("v1.10.0")+`","sha":"`+sha2+`","tag":"v1.10.0"}`)
	w.spec(base + "type: GitHubTag\nfilter: {includeTag: ^v1, excludeTag: '10'}")
	same(t, w.exports(), `{"id":"`+resourceset.ID("v1.2.0")+`","sha":"`+sha1+`","tag":"v1.2.0"}`)
	w.spec(base + "type: GitHubPullRequest\nfilter: {labels: [deploy]}")
	same(t, w.exports(), `{"author":"jo","branch":"feat/a","id":"4","labels":["deploy","hold"],"sha":"`+sha1+`","title":"A change"}`)
}

func TestSkippedRequestsKeepTheirInputs(t *testing.T) {
	pulls := map[string]string{}
	server := answers(t, "", pulls)
	server.Start()
	const at = "/api/v3/repos/owner/home/pulls?page=1&per_page=100&state=open"
	one := func(sha, labels string) {
		pulls[at] = `[{"number":1,"title":"A","head":{"ref":"a","sha":"` + sha + `"},"user":{"login":"jo"},"labels":[` + labels + `]}]`
	}
	w := newWorld(t)
	w.spec("type: GitHubPullRequest\nurl: " + server.URL + "/owner/home\nskip: {labels: [hold]}")
	one(sha1, `{"name":"hold"}`)
	same(t, w.exports())
	one(sha1, ``)
	same(t, w.exports(), `{"author":"jo","branch":"a","id":"1","sha":"`+sha1+`","title":"A"}`)
	one(sha2, `{"name":"hold"}`)
	same(t, w.exports(), `{"author":"jo","branch":"a","id":"1","sha":"`+sha1+`","title":"A"}`)
	one(sha2, ``)
	w.spec("type: GitHubPullRequest\nurl: " + server.URL + "/owner/home\nskip: {labels: ['!tested']}")
	same(t, w.exports(), `{"author":"jo","branch":"a","id":"1","sha":"`+sha1+`","title":"A"}`)
}

func TestAGitHubAppLogsIn(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/api/v3/app/installations/34/access_tokens":
			parts := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
			claims, err := base64.RawURLEncoding.DecodeString(parts[1])
			if err != nil || len(parts) != 3 || !strings.Contains(string(claims), `"iss":"12"`) {
				t.Errorf("the App says it is %s", claims)
			}
			asked = true
			_, _ = rw.Write([]byte(`{"token":"of-the-app"}`))
		case r.Header.Get("Authorization") == "Bearer of-the-app":
			_, _ = rw.Write([]byte(`[]`))
		default:
			http.Error(rw, "no", http.StatusForbidden)
		}
	}))
	t.Cleanup(server.Close)
	w := newWorld(t, secret("app", map[string]string{"githubAppID": "12", "githubAppInstallationID": "34", "githubAppPrivateKey": rsaKey(t)}))
	w.spec("type: GitHubTag\nsecretRef: {name: app}\nurl: " + server.URL + "/owner/home")
	same(t, w.exports())
	if !asked {
		t.Error("the App did not log in")
	}
}

func TestGitLab(t *testing.T) {
	server := answers(t, "Bearer t0ken", map[string]string{
		"/api/v4/projects/group%2Fsub%2Fhome/repository/branches?page=1&per_page=100":                                      `[{"name":"Feat/A_b","commit":{"id":"` + sha1 + `"}}]`,
		"/api/v4/projects/group%2Fsub%2Fhome/repository/tags?page=1&per_page=100":                                          `[{"name":"1.0.0","commit":{"id":"` + sha1 + `"}},{"name":"1.1.0","commit":{"id":"` + sha2 + `"}}]`,
		"/api/v4/projects/group%2Fsub%2Fhome/merge_requests?page=1&per_page=100&state=opened":                              `[{"iid":7,"sha":"` + sha1 + `","title":"T","source_branch":"feat","author":{"username":"jo"},"labels":["deploy"]},{"iid":8,"sha":"` + sha2 + `","title":"U","source_branch":"other","author":{"username":"jo"},"labels":[]}]`,
		"/api/v4/projects/group%2Fsub%2Fhome/environments?page=1&per_page=100":                                             `[{"id":1,"name":"review/a","slug":"review-a","state":"available"},{"id":2,"name":"review/b","slug":"review-b","state":"stopped"},{"id":3,"name":"production","slug":"production","state":"available"}]`,
		"/api/v4/projects/group%2Fsub%2Fhome/deployments?environment=review%2Fa&order_by=created_at&per_page=20&sort=desc": `[{"status":"failed"},{"status":"success","user":{"username":"jo"},"deployable":{"ref":"feat","commit":{"id":"` + sha1 + `"}}}]`,
		"/api/v4/projects/group%2Fsub%2Fhome/deployments?environment=review%2Fb&order_by=created_at&per_page=20&sort=desc": `[{"status":"success","deployable":{"ref":"old","commit":{"id":"` + sha2 + `"}}}]`,
	})
	server.Start()
	w := newWorld(t, secret("login", login()))
	base := "secretRef: {name: login}\nurl: " + server.URL + "/group/sub/home\n"
	w.spec(base + "type: GitLabBranch")
	same(t, w.exports(), `{"branch":"Feat/A_b","id":"`+resourceset.ID("Feat/A_b")+`","sha":"`+sha1+`","slug":"feat-a-b"}`)
	w.spec(base + "type: GitLabTag\nfilter: {limit: 1}")
	same(t, w.exports(), `{"id":"`+resourceset.ID("1.1.0")+`","sha":"`+sha2+`","slug":"1-1-0","tag":"1.1.0"}`)
	w.spec(base + "type: GitLabMergeRequest\nfilter: {labels: [deploy]}")
	same(t, w.exports(), `{"author":"jo","branch":"feat","id":"7","labels":["deploy"],"sha":"`+sha1+`","slug":"feat","title":"T"}`)
	w.spec(base + "type: GitLabEnvironment\nfilter: {includeEnvironment: ^review/, excludeEnvironment: c$}")
	same(t, w.exports(), `{"author":"jo","branch":"feat","id":"1","sha":"`+sha1+`","slug":"review-a","title":"review/a"}`)
}

func TestGitea(t *testing.T) {
	server := answers(t, "token t0ken", map[string]string{
		"/api/v1/repos/owner/home/branches?limit=100&page=1":         `[{"name":"main","commit":{"id":"` + sha1 + `"}}]`,
		"/api/v1/repos/owner/home/tags?limit=100&page=1":             `[{"name":"v1","commit":{"sha":"` + sha1 + `"}},{"name":"v2","commit":{"sha":"` + sha2 + `"}}]`,
		"/api/v1/repos/owner/home/pulls?limit=100&page=1&state=open": `[{"number":9,"title":"T","head":{"ref":"x","sha":"` + sha2 + `"},"user":{"login":"jo"},"labels":[]}]`,
	})
	server.StartTLS()
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	w := newWorld(t, secret("login", login()), secret("tls", map[string]string{"ca.crt": authority}))
	base := "secretRef: {name: login}\ncertSecretRef: {name: tls}\nurl: " + server.URL + "/owner/home.git\n"
	w.spec(base + "type: GiteaBranch")
	same(t, w.exports(), `{"branch":"main","id":"`+resourceset.ID("main")+`","sha":"`+sha1+`"}`)
	w.spec(base + "type: GiteaTag")
	same(t, w.exports(), `{"id":"`+resourceset.ID("v2")+`","sha":"`+sha2+`","tag":"v2"}`, `{"id":"`+resourceset.ID("v1")+`","sha":"`+sha1+`","tag":"v1"}`)
	w.spec(base + "type: GiteaPullRequest")
	same(t, w.exports(), `{"author":"jo","branch":"x","id":"9","sha":"`+sha2+`","title":"T"}`)
	w.spec("type: GiteaTag\nsecretRef: {name: login}\nurl: " + server.URL + "/owner/home")
	if message := w.fails("ReconciliationFailed"); !strings.Contains(message, "certificate") {
		t.Errorf("without the authority: %s", message)
	}
	if p, _ := w.reconcile(); len(p.Status.ExportedInputs) != 1 {
		t.Error("a provider that cannot be asked lost what it exported before")
	}
}

func TestAzureDevOps(t *testing.T) {
	authorization := "Basic " + base64.StdEncoding.EncodeToString([]byte(":t0ken"))
	const at = "/org/project/_apis/git/repositories/home/"
	server := answers(t, authorization, map[string]string{
		at + "refs?%24top=100&api-version=7.1&filter=heads%2F&peelTags=true":                  `{"value":[{"name":"refs/heads/main","objectId":"` + sha1 + `"}]}`,
		at + "refs?%24top=100&api-version=7.1&filter=tags%2F&peelTags=true":                   `{"value":[{"name":"refs/tags/v1","objectId":"` + sha2 + `","peeledObjectId":"` + sha1 + `"}]}`,
		at + "pullrequests?%24skip=0&%24top=100&api-version=7.1&searchCriteria.status=active": `{"value":[{"pullRequestId":5,"title":"T","sourceRefName":"refs/heads/x","lastMergeSourceCommit":{"commitId":"` + sha2 + `"},"createdBy":{"displayName":"Jo"},"labels":[{"name":"deploy"}]}]}`,
	})
	server.Start()
	w := newWorld(t, secret("login", login()))
	base := "secretRef: {name: login}\nurl: " + server.URL + "/org/project/_git/home\n"
	w.spec(base + "type: AzureDevOpsBranch")
	same(t, w.exports(), `{"branch":"main","id":"`+resourceset.ID("main")+`","sha":"`+sha1+`"}`)
	w.spec(base + "type: AzureDevOpsTag")
	same(t, w.exports(), `{"id":"`+resourceset.ID("v1")+`","sha":"`+sha1+`","tag":"v1"}`)
	w.spec(base + "type: AzureDevOpsPullRequest")
	same(t, w.exports(), `{"author":"Jo","branch":"x","id":"5","labels":["deploy"],"sha":"`+sha2+`","title":"T"}`)
}

func TestAnExternalServiceIsAsked(t *testing.T) {
	bodies := map[string]string{"/inputs": `{"inputs":[{"id":"a","size":1},{"id":"b","zone":"x"},{"id":"c"}]}`}
	server := answers(t, "Bearer t0ken", bodies)
	server.Start()
	w := newWorld(t, secret("token", map[string]string{"token": "t0ken"}), secret("empty", nil))
	base := "type: ExternalService\ninsecure: true\nurl: " + server.URL + "/inputs\n"
	w.spec(base + "secretRef: {name: token}\nfilter: {limit: 2}\ndefaultValues: {zone: here}")
	same(t, w.exports(), `{"id":"a","size":1,"zone":"here"}`, `{"id":"b","zone":"x"}`)
	for name, body := range map[string]string{
		"'id' field that is a text": `{"inputs":[{"id":1}]}`, "duplicate 'id'": `{"inputs":[{"id":"a"},{"id":"a"}]}`,
		"'inputs' field": `{}`, "no JSON": `<html>`, "maximum allowed size": `{"inputs":[{"id":"` + strings.Repeat("a", 1<<20) + `"}]}`,
	} {
		bodies["/inputs"] = body
		w.spec(base + "secretRef: {name: token}\n# " + name)
		if message := w.fails("ReconciliationFailed"); !strings.Contains(message, name) {
			t.Errorf("%s: %s", name, message)
		}
	}
	w.spec(base + "secretRef: {name: empty}")
	if message := w.fails("ReconciliationFailed"); !strings.Contains(message, "key 'username' is missing") {
		t.Errorf("without a login: %s", message)
	}
	w.spec("type: ExternalService\nsecretRef: {name: token}\nurl: " + server.URL + "/inputs\n")
	if message := w.fails("ReconciliationFailed"); !strings.Contains(message, "https://") {
		t.Errorf("in the plain: %s", message)
	}
}

func TestExternalArtifactsAreFound(t *testing.T) {
	w := newWorld(t, artifact("apps", "b", "web", "1@sha256:b"), artifact("apps", "a", "web", ""), artifact("other", "c", "web", "1@sha256:c"), artifact("apps", "d", "db", ""))
	w.spec("type: ExternalArtifact\nselectors: [{matchLabels: {app: web}}, {name: b}]")
	same(t, w.exports(),
		`{"app":"web","id":"`+resourceset.ID("apps/a")+`","name":"a","namespace":"apps"}`,
		`{"app":"web","id":"`+resourceset.ID("apps/b")+`","name":"b","namespace":"apps","revision":"1@sha256:b"}`)
	w.spec("type: ExternalArtifact\nselectors: [{name: c, namespace: '*'}]\ndefaultValues: {app: none, more: x}")
	same(t, w.exports(), `{"app":"web","id":"`+resourceset.ID("other/c")+`","more":"x","name":"c","namespace":"other","revision":"1@sha256:c"}`)
	w.spec("type: ExternalArtifact")
	if message := w.fails("InvalidSpec"); !strings.Contains(message, "spec.selectors") {
		t.Error(message)
	}
}

func TestNoCloudsIdentity(t *testing.T) {
	w := newWorld(t)
	for kind, url := range map[string]string{
		"ECRArtifactTag": "oci://example.org/a", "AWSCodeCommitTag": "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/a",
		"AzureDevOpsTag": "https://dev.azure.com/o/p/_git/r",
	} {
		w.spec("type: " + kind + "\nurl: " + url)
		if message := w.fails("ReconciliationFailed"); !strings.Contains(message, "identity of a cloud") {
			t.Errorf("%s: %s", kind, message)
		}
	}
}

func TestARefusedLoginTellsNoSecret(t *testing.T) {
	server := answers(t, "nobody", nil)
	server.Start()
	w := newWorld(t, secret("login", login()))
	w.spec("type: GitHubTag\nsecretRef: {name: login}\nurl: " + server.URL + "/owner/home")
	message := w.fails("ReconciliationFailed")
	if !strings.Contains(message, "HTTP 401") || strings.Contains(message, "t0ken") {
		t.Error(message)
	}
}

func TestARedirectToAnotherServerIsNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other server was asked") }))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	t.Cleanup(server.Close)
	w := newWorld(t)
	w.spec("type: ExternalService\ninsecure: true\nurl: " + server.URL)
	if message := w.fails("ReconciliationFailed"); !strings.Contains(message, "another server") {
		t.Error(message)
	}
}

func TestMetadataServicesAreNotAsked(t *testing.T) {
	w := newWorld(t)
	w.spec("type: ExternalService\ninsecure: true\nurl: http://169.254.169.254/latest")
	if message := w.fails("ReconciliationFailed"); !strings.Contains(message, "refuse") {
		t.Error(message)
	}
}

func TestOfflineInputsAreAssumed(t *testing.T) {
	w := newWorld(t)
	w.r.o.Offline = true
	w.spec("type: GitHubTag\nurl: https://github.com/owner/home\ndefaultValues: {tag: v9, env: x}")
	same(t, w.exports(), `{"env":"x","id":"`+resourceset.ID("0.0.0")+`","sha":"0000000000000000000000000000000000000000","tag":"v9"}`)
	if list := w.assumptions.List(); len(list) != 1 || list[0].Kind != "inputs" || !strings.Contains(list[0].Subject, "apps/p") {
		t.Errorf("assumed %v", list)
	}
	w.spec("type: GitHubPullRequest\nurl: https://github.com/owner/home")
	same(t, w.exports())
}

func TestASpecThatCannotWorkStalls(t *testing.T) {
	w := newWorld(t)
	for text, want := range map[string]string{
		"type: GitHubTag\nurl: https://example.org/a/b\ninsecure: true": "spec.insecure",
		"type: ExternalArtifact":               "spec.selectors",
		"type: Static\nfilter: {limit: 20000}": "at most",
	} {
		w.spec(text)
		if message := w.fails("InvalidSpec"); !strings.Contains(message, want) || !strings.HasPrefix(message, "Reconciliation failed terminally") {
			t.Errorf("%s: %s", text, message)
		}
		if p, _ := w.reconcile(); !conditions.IsStalled(p) {
			t.Errorf("%s: not stalled", text)
		}
	}
}
