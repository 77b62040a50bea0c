package secrets_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/domain"
	"hearth/internal/onepassword"
	"hearth/internal/secrets"
)

const shared = `
-- .hearth.yaml --
clusters:
  main: {path: main, entry: {path: main}}
-- main/store.yaml --
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: connect}
spec: {provider: {onepassword: {connectHost: http://connect, vaults: {Kubernetes: 1}}}}
-- main/page.yaml --
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: page, namespace: a}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: connect}
  target: {template: {data: {radarr: "{{ .radarr_KEY }}", other: "{{ .radarr_4k_KEY }}"}}}
  dataFrom:
    - {extract: {key: radarr}, rewrite: [{regexp: {source: "(.*)", target: "radarr_$1"}}]}
    - {extract: {key: radarr-4k}, rewrite: [{regexp: {source: "(.*)", target: "radarr_4k_$1"}}]}
    - {extract: {key: prowlarr}, rewrite: [{regexp: {source: "(.*)", target: "prowlarr_$1"}}]}
    - {extract: {key: mail}, rewrite: [{regexp: {source: "(.*)", target: "mail_$1"}}]}
-- main/prowlarr.yaml --
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: prowlarr, namespace: b}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: connect}
  target: {template: {data: {key: "{{ .API_KEY }}"}}}
  dataFrom: [{extract: {key: prowlarr}}]
-- main/plain.yaml --
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: plain, namespace: a}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: connect}
  dataFrom: [{extract: {key: plain}}]
---
apiVersion: v1
kind: Pod
metadata: {name: here, namespace: a}
spec: {containers: [{name: c, image: busybox, env: [{name: A, valueFrom: {secretKeyRef: {name: plain, key: HERE}}}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: there, namespace: b}
spec: {containers: [{name: c, image: busybox, env: [{name: A, valueFrom: {secretKeyRef: {name: plain, key: ELSEWHERE}}}]}]}
-- main/pushed.yaml --
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: pushed, namespace: a}
spec:
  secretStoreRef: {kind: ClusterSecretStore, name: connect}
  data: [{secretKey: t, remoteRef: {key: made, property: token}}]
---
apiVersion: external-secrets.io/v1alpha1
kind: PushSecret
metadata: {name: push, namespace: a}
spec:
  secretStoreRefs: [{kind: ClusterSecretStore, name: connect}]
  selector: {secret: {name: origin}}
  data: [{match: {secretKey: t, remoteRef: {remoteKey: made, property: token}}}]
`

// TestPlanMakesUpWhatIsListed has every item that is listed read from a server
// that makes values up: each field that is listed is an assumption, and no other.
func TestPlanMakesUpWhatIsListed(t *testing.T) {
	state := build(t, shared)
	needs := secrets.Of(t.Context(), state, nil)
	named := map[string]bool{}
	for _, n := range needs {
		named[n.Item] = named[n.Item] || n.Field != ""
	}
	want := map[string]bool{}
	for _, n := range needs {
		if n.Field != "" || !named[n.Item] {
			want[n.Item+"/"+n.What()] = true
		}
	}
	listed := []string{"mail/(all fields)", "plain/HERE", "prowlarr/API_KEY", "radarr-4k/KEY", "radarr/KEY"}
	if diff := cmp.Diff(listed, slices.Sorted(maps.Keys(want))); diff != "" {
		t.Fatalf("what is listed (-want +got):\n%s", diff)
	}

	assumer, assumptions := &onepassword.Assumer{Seed: 1}, &domain.Assumptions{}
	server, err := onepassword.NewServer(onepassword.ServerOptions{Assume: assumer.Fields, Assumptions: assumptions})
	if err != nil {
		t.Fatal(err)
	}
	url, _, err := server.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plan := secrets.NewPlan(t.Context(), state, nil)
	assumer.Want(plan.Needs...)
	assumer.Want(plan.Unpushed([]onepassword.Need{{Item: "made", Field: "token"}})...)
	c := onepassword.NewClient(onepassword.ClientOptions{URL: url, Token: server.Token(), Vaults: map[string]int{"Kubernetes": 1}, Timeout: time.Minute})
	defer c.Close()
	for item := range named {
		if _, err := c.Item(t.Context(), item, time.Now()); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Item(t.Context(), "made", time.Now()); err == nil {
		t.Error("what something pushes was made up")
	}
	var got []string
	for _, a := range assumptions.List() {
		got = append(got, a.Subject)
	}
	slices.Sort(got)
	if diff := cmp.Diff(listed, got); diff != "" {
		t.Errorf("what is made up (-listed +made up):\n%s", diff)
	}
	if diff := cmp.Diff(fmt.Sprint(map[string][]string{"plain": {"HERE"}}), fmt.Sprint(plan.Keys("a"))); diff != "" {
		t.Error(diff)
	}
}
