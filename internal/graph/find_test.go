package graph

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParseTarget(t *testing.T) {
	for _, test := range []struct {
		text string
		want Target
		err  string
	}{
		{text: "HelmRelease/media/immich", want: Target{"HelmRelease", "media", "immich"}},
		{text: " hr/media/immich ", want: Target{"hr", "media", "immich"}},
		{text: "ClusterSecretStore/onepassword", want: Target{"ClusterSecretStore", "", "onepassword"}},
		{text: "image/ghcr.io/a/b:1", want: Target{"image", "", "ghcr.io/a/b:1"}},
		{text: "Chart/oci://a/b@1", want: Target{"Chart", "", "oci://a/b@1"}},
		{text: "Item/Private Internet Access", want: Target{"Item", "", "Private Internet Access"}},
		{text: "", err: "names no object"},
		{text: "immich", err: "names no object"},
		{text: "ks/", err: "names no object"},
		{text: "/a/b", err: "names no object"},
		{text: "ks//b", err: "names no object"},
		{text: "ks/a/b/c", err: "names no object"},
		{text: "ks/a\n/b", err: "no name of an object"},
		{text: "ks/\xff", err: "no name of an object"},
		{text: "ks/" + strings.Repeat("a", 2000), err: "too long"},
	} {
		got, err := ParseTarget(test.text)
		switch {
		case test.err == "" && err != nil:
			t.Errorf("%q: %v", test.text, err)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%q: error %v, want one with %q", test.text, err, test.err)
		case test.err == "" && got != test.want:
			t.Errorf("%q: %+v, want %+v", test.text, got, test.want)
		}
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{"hr/media/immich", "Image/a/b:1@sha256:00", "ks//", "a.b.c/d", "\x00/x", "Item/ä ö"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := ParseTarget(text)
		if err != nil {
			if !utf8.ValidString(err.Error()) {
				t.Errorf("%q: the error is no text: %q", text, err)
			}
			return
		}
		if target.Kind == "" || target.Name == "" {
			t.Fatalf("%q: %+v names nothing", text, target)
		}
		again, err := ParseTarget(target.String())
		if err != nil || strings.TrimSpace(target.String()) == target.String() && again != target {
			t.Errorf("%q: %+v reads as %+v (%v)", text, target, again, err)
		}
	})
}

const findable = `
apiVersion: v1
kind: Secret
metadata: {name: app, namespace: media}
---
apiVersion: v1
kind: Secret
metadata: {name: app, namespace: home}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: home}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: talos, namespace: home}
---
apiVersion: talos.dev/v1alpha1
kind: ServiceAccount
metadata: {name: talos, namespace: home}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: locked, namespace: home}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: media}
spec: {template: {spec: {containers: [{name: app, image: "ghcr.io/a/b:1"}]}}}
`

func TestFind(t *testing.T) {
	g := graphOf(t, findable)
	for _, test := range []struct{ text, want, err string }{
		{text: "Secret/media/app", want: "Secret/media/app"},
		{text: "secrets/media/app", want: "Secret/media/app"},
		{text: "SECRET/home/app", want: "Secret/home/app"},
		{text: "cm/home/settings", want: "ConfigMap/home/settings"},
		{text: "cm/settings", want: "ConfigMap/home/settings"},
		{text: "networkpolicies/locked", want: "NetworkPolicy/home/locked"},
		{text: "deploy/media/app", want: "Deployment/media/app"},
		{text: "image/ghcr.io/a/b:1", want: "Image/ghcr.io/a/b:1"},
		{text: "serviceaccount/home/talos", err: "several objects in cluster main: choose one of ServiceAccount/home/talos, ServiceAccount.talos.dev/home/talos"},
		{text: "sa.talos.dev/home/talos", want: "ServiceAccount.talos.dev/home/talos"},
		{text: "Secret/app", err: "choose one of Secret/home/app, Secret/media/app"},
		{text: "Secret/media/ap", err: "there is no Secret/media/ap in cluster main: the nearest are Secret/media/app"},
		{text: "cm/home/setings", err: "the nearest are ConfigMap/home/settings"},
		{text: "Gateway/none/whatsoever", err: "there is no Gateway/none/whatsoever in cluster main"},
	} {
		target, err := ParseTarget(test.text)
		if err != nil {
			t.Fatal(err)
		}
		node, err := g.Find(target)
		if test.err != "" {
			var missing *NotFoundError
			if !errors.As(err, &missing) || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want one with %q", test.text, err, test.err)
			}
			continue
		}
		if err != nil || node.ID != test.want {
			t.Errorf("%s: %v, %v, want %s", test.text, node, err, test.want)
		}
	}
}

func TestFindNamed(t *testing.T) {
	g := graphOf(t, findable)
	for text, want := range map[string][]string{
		"media/app":        {"Deployment/media/app", "Secret/media/app"},
		"app":              {"Deployment/media/app", "Secret/home/app", "Secret/media/app"},
		"secret/media/app": {"Secret/media/app"},
	} {
		nodes, err := g.FindNamed(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, ids(nodes)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"media/ap", "media/", "", "/", "x"} {
		if nodes, err := g.FindNamed(text); err == nil {
			t.Errorf("%q found %v", text, ids(nodes))
		}
	}
	if _, err := g.FindNamed("media/ap"); err == nil || !strings.Contains(err.Error(), "media/app") {
		t.Errorf("the nearest of media/ap: %v", err)
	}
}
