package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

var noon = time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)

func ref(kind, namespace, name string) domain.Ref {
	return domain.Ref{Kind: kind, Namespace: namespace, Name: name}
}

// homelab is a small one, half way up.
func homelab() []observe.Object {
	immich := ref("HelmRelease", "media", "immich")
	apps := ref("Kustomization", "flux-system", "media")
	cilium := ref("Kustomization", "flux-system", "cilium")
	return []observe.Object{
		{Ref: ref("ExternalSecret", "media", "immich"), State: domain.SecretFailed, Message: `item "immich" has no field DB_PASSWORD`, Since: noon.Add(-5 * time.Second), Owner: apps},
		{Ref: immich, State: domain.ReleaseReconciling, Message: "Running 'install' action with timeout of 5m0s", Since: noon.Add(-time.Minute), Owner: apps},
		{Ref: ref("HelmRelease", "network", "old"), State: domain.ReleaseReady, Message: "installed", Ready: true, Suspended: true},
		{Ref: cilium, State: domain.KustomizationReady, Message: "Applied revision: a", Ready: true, Since: noon.Add(-26 * time.Hour), ReadyAt: noon.Add(-58 * time.Second)},
		{Ref: apps, State: domain.KustomizationApplying, Message: "Running health checks", Since: noon.Add(-90 * time.Minute), DependsOn: []domain.Ref{cilium, ref("Kustomization", "security", "external-secrets")}},
		{Ref: ref("Pod", "media", "immich-server-0"), State: domain.PodWaitingSecrets, Message: "secret \x1b[31m\"immich\" not found", Since: noon, Owner: immich},
		{Ref: ref("Pod", "media", "immich-redis-0"), State: domain.PodRunning, Ready: true, Owner: immich},
		{Ref: ref("Pod", "media", "immich-web-0"), State: domain.PodRunning, Ready: true, Owner: immich},
		{Ref: ref("Pod", "media", "immich-setup"), State: domain.PodRunning, Message: "completed", Ready: true, Completed: true, Owner: immich},
	}
}

func TestViewText(t *testing.T) {
	v, err := newView(homelab(), viewKinds, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := v.text(&b, 0, false, noon); err != nil {
		t.Fatal(err)
	}
	want := `Kustomizations  1 of 2 ready
NAMESPACE     NAME     STATE      SINCE    AFTER                               MESSAGE
flux-system   cilium   Ready      1d2h                                         Applied revision: a
flux-system   media    Applying   1h30m    cilium, security/external-secrets   Running health checks

HelmReleases  0 of 1 ready
NAMESPACE   NAME     STATE               SINCE    PODS                                             MESSAGE
media       immich   Reconciling         1m00s    pods 2 Running, 1 completed, 1 WaitingSecrets    Running 'install' action with timeout of 5m0s
network     old      Ready (suspended)            no pods                                          installed

ExternalSecrets  0 of 1 ready
NAMESPACE   NAME     STATE    SINCE   MESSAGE
media       immich   Failed   5s      item "immich" has no field DB_PASSWORD

Pods  3 of 4 ready
NAMESPACE   NAME              STATE            SINCE   MESSAGE
media       immich-server-0   WaitingSecrets   0s      secret  [31m"immich" not found
media       immich-redis-0    Running
media       immich-web-0      Running
media       immich-setup      Running                  completed
`
	if diff := cmp.Diff(squeeze(want), squeeze(b.String())); diff != "" {
		t.Error(diff)
	}
}

// squeeze makes column gaps alike: how wide they are is TestTable's.
func squeeze(s string) []string {
	var lines []string
	for _, line := range strings.Split(s, "\n") {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

func TestViewSelects(t *testing.T) {
	releases, err := parseKinds("hr")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, namespace string
		names           []string
		want            []string
		problem         string
	}{
		{name: "all", want: []string{"immich", "old"}},
		{name: "a namespace", namespace: "network", want: []string{"old"}},
		{name: "a name", names: []string{"immich"}, want: []string{"immich"}},
		{name: "no such name", names: []string{"emmich"}, problem: `there is no HelmRelease "emmich" in any namespace`},
		{name: "elsewhere", namespace: "network", names: []string{"immich"}, problem: `there is no HelmRelease "immich" in namespace network`},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, err := newView(homelab(), releases, test.namespace, test.names)
			if err != nil || test.problem != "" {
				if err == nil || err.Error() != test.problem {
					t.Fatalf("error %v, want %q", err, test.problem)
				}
				return
			}
			var got []string
			for _, o := range v.of("HelmRelease") {
				got = append(got, o.Name)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestViewOfNothing(t *testing.T) {
	for arg, want := range map[string]string{"all": "nothing to show\n", "pods": "no Pods\n"} {
		kinds, err := parseKinds(arg)
		if err != nil {
			t.Fatal(err)
		}
		v, err := newView(nil, kinds, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := v.text(&b, 0, false, noon); err != nil || b.String() != want {
			t.Errorf("%s: %q, %v", arg, b.String(), err)
		}
	}
}

func TestViewJSON(t *testing.T) {
	kinds, err := parseKinds("hr,po")
	if err != nil {
		t.Fatal(err)
	}
	v, err := newView(homelab(), kinds, "media", []string{"immich"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(v.json())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"objects":[{"kind":"HelmRelease","namespace":"media","name":"immich","state":"Reconciling","ready":false,
		"message":"Running 'install' action with timeout of 5m0s","since":"2024-01-01T11:59:00Z",
		"owner":{"kind":"Kustomization","namespace":"flux-system","name":"media"},
		"pods":{"Running":2,"WaitingSecrets":1,"completed":1}}]}`
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(compact.String(), string(raw)); diff != "" {
		t.Error(diff)
	}
}

func TestParseKinds(t *testing.T) {
	for _, k := range viewKinds {
		for _, name := range k.names {
			got, err := parseKinds(strings.ToUpper(name))
			if err != nil || len(got) != 1 || got[0].kind != k.kind {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
	}
	if _, err := parseKinds("deployments"); err == nil {
		t.Error("deployments are no error")
	}
}

func TestGetRefusesMisuse(t *testing.T) {
	for name, f := range map[string]getFlags{
		"output":       {output: "yaml"},
		"two clusters": {output: "text", clusterFlags: clusterFlags{cluster: "main", context: "main"}},
	} {
		if _, _, err := f.what(nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	f := getFlags{output: "text", clusterFlags: clusterFlags{namespace: "media"}, allNamespaces: true}
	if _, _, err := f.what([]string{"all", "immich"}); err == nil {
		t.Error("names without a kind are no error")
	}
	if f.namespace != "" {
		t.Error("-A leaves -n")
	}
}
