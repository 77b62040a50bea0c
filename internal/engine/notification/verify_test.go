package notification

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"
	"testing"

	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	"github.com/google/go-cmp/cmp"
)

const token = "c4n4ry-token"

// Payloads as the forges document them, shortened to what tells them apart.
const (
	githubPush = `{"ref":"refs/heads/main","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","after":"0000000000000000000000000000000000000000","repository":{"id":186853002,"name":"homelab","full_name":"octocat/homelab","html_url":"https://github.com/octocat/homelab"},"pusher":{"name":"octocat","email":"octocat@example.com"},"commits":[]}`
	gitlabPush = `{"object_kind":"push","event_name":"push","before":"95790bf891e76fee5e1747ab589903a6a1f80f22","after":"da1560886d4f094c3e6c9ef40349f7d38b5d27d7","ref":"refs/heads/main","project_id":15,"project":{"id":15,"path_with_namespace":"mike/homelab"},"commits":[],"total_commits_count":0}`
	giteaPush  = `{"secret":"","ref":"refs/heads/main","before":"28e1879d029cb852e4844d9c718537df08844e03","after":"bffeb74224043ba2feb48d137756c8a9331c449a","compare_url":"http://localhost:3000/gitea/webhooks/compare/28e1...bffe","commits":[],"repository":{"id":140,"full_name":"gitea/homelab"}}`
	bitbucket  = `{"eventKey":"repo:refs_changed","date":"2017-09-19T09:58:11+1000","repository":{"slug":"homelab","id":84},"changes":[{"refId":"refs/heads/main","type":"UPDATE"}]}`
	harborPush = `{"type":"PUSH_ARTIFACT","occur_at":1586922308,"operator":"admin","event_data":{"resources":[{"digest":"sha256:8a9e9863dbb6e10edb5adfe917c00da84e1700fa76e7ed02476aa6e6fb8ee0d8","tag":"latest","resource_url":"hub.harbor.com/test-webhook/debian:latest"}],"repository":{"name":"debian","namespace":"test-webhook"}}}`
	dockerPush = `{"callback_url":"https://registry.hub.docker.com/u/svendowideit/testhook/hook/2141b5bi5i5b02bec211i4eeih0242eg11000a/","push_data":{"pushed_at":1417566161,"pusher":"trustedbuilder","tag":"latest"},"repository":{"name":"testhook","namespace":"svendowideit","repo_name":"svendowideit/testhook","repo_url":"https://registry.hub.docker.com/u/svendowideit/testhook/"}}`
	quayPush   = `{"name":"repository","repository":"mynamespace/repository","namespace":"mynamespace","docker_url":"quay.io/mynamespace/repository","homepage":"https://quay.io/repository/mynamespace/repository","updated_tags":["latest"]}`
	acrPush    = `{"id":"cb8c3971-9adc-488b-xxxx-43cbb4974ff5","timestamp":"2017-11-17T16:52:01.343145347Z","action":"push","target":{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","size":524,"repository":"hello-world","tag":"v1"}}`
	nexusPush  = `{"timestamp":"2016-11-10T23:57:49.664+0000","initiator":"anonymous/127.0.0.1","repositoryName":"npm-proxy","action":"UPDATED"}`
)

func sign(algorithm func() hash.Hash, key, body string) string {
	mac := hmac.New(algorithm, []byte(key))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

const jsonType = "application/json"

func TestForgesRequestsAreVerified(t *testing.T) {
	tests := map[string]struct {
		kind   string
		events []string
		header http.Header
		body   string
		want   hit
		err    string // part of it; empty means that the request is believed
	}{
		"generic": {kind: "generic", body: "anything"},
		"generic-hmac, sha256": {kind: "generic-hmac", body: "{}",
			header: headers("X-Signature", "sha256="+sign(sha256.New, token, "{}")), want: hit{signed: true}},
		"generic-hmac, sha1": {kind: "generic-hmac", body: "{}",
			header: headers("X-Signature", "sha1="+sign(sha1.New, token, "{}")), want: hit{signed: true}},
		"generic-hmac, sha512": {kind: "generic-hmac", body: "{}",
			header: headers("X-Signature", "sha512="+sign(sha512.New, token, "{}")), want: hit{signed: true}},
		"generic-hmac, another key":     {kind: "generic-hmac", body: "{}", header: headers("X-Signature", "sha256="+sign(sha256.New, "other", "{}")), err: "does not match"},
		"generic-hmac, another body":    {kind: "generic-hmac", body: "{ }", header: headers("X-Signature", "sha256="+sign(sha256.New, token, "{}")), err: "does not match"},
		"generic-hmac, truncated":       {kind: "generic-hmac", body: "{}", header: headers("X-Signature", "sha256="+sign(sha256.New, token, "{}")[:62]), err: "does not match"},
		"generic-hmac, no digest":       {kind: "generic-hmac", body: "{}", header: headers("X-Signature", "sha256="), err: "does not match"},
		"generic-hmac, wrong algorithm": {kind: "generic-hmac", body: "{}", header: headers("X-Signature", "md5=00"), err: "none of sha1"},
		"generic-hmac, no hex":          {kind: "generic-hmac", body: "{}", header: headers("X-Signature", "sha256=zz"), err: "hexadecimal"},
		"generic-hmac, missing":         {kind: "generic-hmac", body: "{}", err: "missing"},
		"github push": {kind: "github", events: []string{"ping", "push"}, body: githubPush,
			header: headers("X-Hub-Signature-256", "sha256="+sign(sha256.New, token, githubPush), "X-GitHub-Event", "push", "X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958", "Content-Type", jsonType),
			want:   hit{event: "push", id: "72d3162e-cc78-11e3-81ab-4c9367dc0958", signed: true}},
		"github push as a form": {kind: "github", body: "payload=%7B%7D",
			header: headers("X-Hub-Signature-256", "sha256="+sign(sha256.New, token, "payload=%7B%7D"), "X-GitHub-Event", "push", "Content-Type", "application/x-www-form-urlencoded"),
			want:   hit{event: "push", signed: true}},
		"github, sha1 only": {kind: "github", body: githubPush,
			header: headers("X-Hub-Signature", "sha1="+sign(sha1.New, token, githubPush), "X-GitHub-Event", "push", "Content-Type", jsonType),
			want:   hit{event: "push", signed: true}},
		"github, the stronger signature counts": {kind: "github", body: githubPush,
			header: headers("X-Hub-Signature", "sha1="+sign(sha1.New, token, githubPush), "X-Hub-Signature-256", "sha256="+sign(sha256.New, "other", githubPush), "Content-Type", jsonType),
			err:    "X-Hub-Signature-256 header is invalid"},
		"github, another event": {kind: "github", events: []string{"push"}, body: githubPush,
			header: headers("X-Hub-Signature-256", "sha256="+sign(sha256.New, token, githubPush), "X-GitHub-Event", "ping", "Content-Type", jsonType),
			err:    `the event "ping" is not authorised`},
		"github, no event": {kind: "github", events: []string{"push"}, body: githubPush,
			header: headers("X-Hub-Signature-256", "sha256="+sign(sha256.New, token, githubPush), "Content-Type", jsonType), err: "not authorised"},
		"github, unsigned":     {kind: "github", body: githubPush, header: headers("X-GitHub-Event", "push", "Content-Type", jsonType), err: "missing"},
		"github, another type": {kind: "github", body: githubPush, header: headers("X-Hub-Signature-256", "sha256="+sign(sha256.New, token, githubPush), "Content-Type", "text/plain"), err: "content type"},
		"gitea push": {kind: "github", events: []string{"push"}, body: giteaPush,
			header: headers("X-Hub-Signature-256", "sha256="+sign(sha256.New, token, giteaPush), "X-Gitea-Signature", sign(sha256.New, token, giteaPush),
				"X-GitHub-Event", "push", "X-Gitea-Event", "push", "X-Gitea-Delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473", "Content-Type", jsonType),
			want: hit{event: "push", id: "f6266f16-1bf3-46a5-9ea4-602e06ead473", signed: true}},
		"gitea push, its own headers only": {kind: "github", events: []string{"push"}, body: giteaPush,
			header: headers("X-Gitea-Signature", sign(sha256.New, token, giteaPush), "X-Gitea-Event", "push", "X-Gitea-Delivery", "f6", "Content-Type", jsonType),
			want:   hit{event: "push", id: "f6", signed: true}},
		"forgejo push, its own headers only": {kind: "github", body: giteaPush,
			header: headers("X-Forgejo-Signature", sign(sha256.New, token, giteaPush), "X-Forgejo-Event", "push", "X-Forgejo-Delivery", "f7", "Content-Type", jsonType),
			want:   hit{event: "push", id: "f7", signed: true}},
		"gitea, another key": {kind: "github", body: giteaPush,
			header: headers("X-Gitea-Signature", sign(sha256.New, "other", giteaPush), "Content-Type", jsonType), err: "X-Gitea-Signature header is invalid"},
		"gitlab push": {kind: "gitlab", events: []string{"Push Hook", "Tag Push Hook"}, body: gitlabPush,
			header: headers("X-Gitlab-Token", token, "X-Gitlab-Event", "Push Hook", "Idempotency-Key", "13792a34-cac6-4fda-95a8-c58e00a3954e", "Content-Type", jsonType),
			want:   hit{event: "Push Hook", id: "13792a34-cac6-4fda-95a8-c58e00a3954e"}},
		"gitlab, another token": {kind: "gitlab", body: gitlabPush, header: headers("X-Gitlab-Token", "other", "X-Gitlab-Event", "Push Hook"), err: "X-Gitlab-Token"},
		"gitlab, no token":      {kind: "gitlab", body: gitlabPush, header: headers("X-Gitlab-Event", "Push Hook"), err: "X-Gitlab-Token"},
		"gitlab, another event": {kind: "gitlab", events: []string{"Push Hook"}, body: gitlabPush, header: headers("X-Gitlab-Token", token, "X-Gitlab-Event", "Note Hook"), err: "not authorised"},
		"bitbucket": {kind: "bitbucket", events: []string{"repo:refs_changed"}, body: bitbucket,
			header: headers("X-Hub-Signature", "sha256="+sign(sha256.New, token, bitbucket), "X-Event-Key", "repo:refs_changed", "X-Request-Id", "b1"),
			want:   hit{event: "repo:refs_changed", id: "b1", signed: true}},
		"bitbucket, another key": {kind: "bitbucket", body: bitbucket, header: headers("X-Hub-Signature", "sha256="+sign(sha256.New, "other", bitbucket)), err: "does not match"},
		"harbor":                 {kind: "harbor", body: harborPush, header: headers("Authorization", token)},
		"harbor, another token":  {kind: "harbor", body: harborPush, header: headers("Authorization", "Bearer "+token), err: "Authorization"},
		"dockerhub":              {kind: "dockerhub", body: dockerPush},
		"dockerhub, no JSON":     {kind: "dockerhub", body: "c4n4ry{", err: "cannot decode DockerHub"},
		"quay":                   {kind: "quay", body: quayPush},
		"quay, no JSON":          {kind: "quay", body: "", err: "cannot decode Quay"},
		"acr":                    {kind: "acr", body: acrPush},
		"acr, no object":         {kind: "acr", body: "[]", err: "cannot decode ACR"},
		"nexus":                  {kind: "nexus", body: nexusPush, header: headers("X-Nexus-Webhook-Signature", sign(sha1.New, token, nexusPush), "X-Nexus-Webhook-Delivery", "n1"), want: hit{id: "n1", signed: true}},
		"nexus, another key":     {kind: "nexus", body: nexusPush, header: headers("X-Nexus-Webhook-Signature", sign(sha1.New, "other", nexusPush)), err: "does not match"},
		"nexus, unsigned":        {kind: "nexus", body: nexusPush, err: "does not match"},
		"gcr":                    {kind: "gcr", body: "{}", err: `Receivers of the type "gcr" are not served`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.header == nil {
				test.header = http.Header{}
			}
			got, err := verify(&notificationv1.ReceiverSpec{Type: test.kind, Events: test.events}, []byte(token), test.header, []byte(test.body))
			if (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("error %v, want %q", err, test.err)
			}
			if err != nil && strings.Contains(err.Error(), "c4n4ry") {
				t.Errorf("the error tells a secret: %v", err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(hit{})); diff != "" {
				t.Errorf("what the request says (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGitHubsOwnExample checks the example that GitHub's documentation gives.
func TestGitHubsOwnExample(t *testing.T) {
	header := headers("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", "X-GitHub-Event", "push", "Content-Type", jsonType)
	if _, err := verify(&notificationv1.ReceiverSpec{Type: "github"}, []byte("It's a Secret to Everybody"), header, []byte("Hello, World!")); err != nil {
		t.Error(err)
	}
}

func TestAnEmptyTokenProvesNothing(t *testing.T) {
	for kind := range verifiers {
		header := headers("X-Signature", "sha256="+sign(sha256.New, "", "{}"), "X-Hub-Signature-256", "sha256="+sign(sha256.New, "", "{}"), "Content-Type", jsonType)
		if _, err := verify(&notificationv1.ReceiverSpec{Type: kind}, nil, header, []byte("{}")); err == nil {
			t.Errorf("%s believes a request without a token", kind)
		}
	}
}

func FuzzVerify(f *testing.F) {
	for _, body := range []string{githubPush, gitlabPush, giteaPush, harborPush, dockerPush, quayPush, acrPush, nexusPush, ""} {
		f.Add("sha256=00", "push", jsonType, []byte(body))
	}
	f.Fuzz(func(t *testing.T, signature, event, contentType string, body []byte) {
		header := http.Header{}
		for _, name := range []string{"X-Signature", "X-Hub-Signature", "X-Hub-Signature-256", "X-Gitea-Signature", "X-Gitlab-Token", "Authorization", "X-Nexus-Webhook-Signature"} {
			header.Set(name, signature)
		}
		header.Set("X-GitHub-Event", event)
		header.Set("X-Gitlab-Event", event)
		header.Set("Content-Type", contentType)
		believesAll := map[string]bool{"generic": true, "dockerhub": true, "quay": true, "acr": true}
		for kind := range verifiers {
			_, err := verify(&notificationv1.ReceiverSpec{Type: kind, Events: []string{"push"}}, []byte(token), header, body)
			if err == nil && !believesAll[kind] && !strings.Contains(signature, token) && !strings.Contains(signature, "=") && len(signature) != 40 && len(signature) != 64 {
				t.Errorf("%s believes the signature %q", kind, signature)
			}
		}
		_, _ = filtersOf(&notificationv1.ReceiverSpec{
			ResourceFilter: "has(req.ref) && req.ref == 'x'", Resources: []notificationv1.ReceiverResource{{}},
		}, header, body, nil)
	})
}

func newSHA256() hash.Hash { return sha256.New() }
