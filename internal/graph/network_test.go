package graph

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// homelab is the graph of testdata/homelab.txtar.
func homelab(t testing.TB) *Graph {
	t.Helper()
	data, err := os.ReadFile("testdata/homelab.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, files, _ := strings.Cut(string(data), "-- apps/all.yaml --\n")
	return graphOf(t, "-- apps/all.yaml --\n"+files)
}

// needsOf lists what a node needs.
func needsOf(t *testing.T, n *Network, id string) []string {
	t.Helper()
	node := n.Node(id)
	if node == nil {
		t.Fatalf("there is no %s", id)
	}
	var list []string
	for _, e := range n.Needs(node) {
		line := fmt.Sprintf("%s %s", e.Kind, e.To.ID)
		if !e.Hard {
			line += " soft"
		}
		list = append(list, line)
	}
	return list
}

func TestNetwork(t *testing.T) {
	n := homelab(t).Network()
	for id, want := range map[string][]string{
		"Kustomization/flux-system/photos": {
			"source GitRepository/flux-system/flux-system",
			"crd HelmRelease/external-secrets/external-secrets", // of its ExternalSecret
			"applies Kustomization/flux-system/flux-system",
			"depends-on Kustomization/flux-system/gateway",
			"depends-on Kustomization/flux-system/photos-db",
		},
		"Kustomization/flux-system/photos-db": {
			"health Cluster/media/photos",
			"source GitRepository/flux-system/flux-system",
			"crd HelmRelease/databases/postgres",
			"applies Kustomization/flux-system/flux-system",
			"depends-on Kustomization/flux-system/operators",
		},
		"HelmRelease/media/photos": {
			"chart Chart/oci://example.com/app-template@4.0.0",
			"health Deployment/media/photos",
			"health Deployment/media/photos-worker",
			"applies Kustomization/flux-system/photos",
			"source OCIRepository/media/app-template",
		},
		"Deployment/media/photos": {
			"renders HelmRelease/media/photos",
			"image Image/ghcr.io/example/photos:1.0",
			"storage PersistentVolumeClaim/media/photos",
			"secret Secret/media/photos-secret",
			"database Service/media/photos-rw", // its Secret says so
			"uses ServiceAccount/media/photos",
		},
		"Deployment/media/photos-worker": {
			"renders HelmRelease/media/photos",
			"image Image/ghcr.io/example/photos:1.0",
			"secret Secret/media/forgotten",
			"secret Secret/media/spare soft",
			"uses ServiceAccount/media/photos",
		},
		"Secret/media/photos-secret": {"secret ExternalSecret/media/photos"},
		"Service/media/photos-rw":    {"database Cluster/media/photos"},
		"Service/media/photos":       {"backend Deployment/media/photos", "renders HelmRelease/media/photos"},
		"ExternalSecret/media/photos": {
			"store ClusterSecretStore/onepassword",
			"crd HelmRelease/external-secrets/external-secrets",
			"item Item/photos",
			"applies Kustomization/flux-system/photos",
		},
		"HTTPRoute/media/photos": {
			"gateway Gateway/network/internal",
			"renders HelmRelease/media/photos",
			"backend Service/media/photos",
		},
		"Gateway/network/internal": {
			"gateway GatewayClass/envoy",
			"applies Kustomization/flux-system/gateway",
			"secret Secret/network/wildcard-tls",
		},
		"Cluster/media/photos": {
			"crd HelmRelease/databases/postgres",
			"image Image/ghcr.io/cloudnative-pg/postgresql:17",
			"applies Kustomization/flux-system/photos-db",
			"storage StorageClass/fast",
		},
	} {
		if diff := cmp.Diff(want, needsOf(t, n, id)); diff != "" {
			t.Errorf("%s needs (-want +got):\n%s", id, diff)
		}
	}
	for id, want := range map[string]string{
		"Secret/media/forgotten":                     "missing",
		"Secret/media/photos-secret":                 "",
		"Secret/external-secrets/connect-token":      "the chart external-secrets of HelmRelease external-secrets/external-secrets is not at hand",
		"Secret/network/wildcard-tls":                "missing",
		"Service/external-secrets/connect":           "the chart external-secrets of HelmRelease external-secrets/external-secrets is not at hand",
		"Chart/oci://example.com/app-template@4.0.0": "",
	} {
		node := n.Node(id)
		if node == nil {
			t.Errorf("there is no %s", id)
			continue
		}
		got := node.Doubt
		if node.Missing {
			got = "missing"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

func TestPlaces(t *testing.T) {
	n := homelab(t).Network()
	if got := n.Node("Cluster/media/photos").Place().String(); got != "photos/db/all.yaml:1" {
		t.Errorf("the database stands at %s", got)
	}
	for _, e := range n.Needs(n.Node("ExternalSecret/media/photos")) {
		if e.Kind == EdgeStore && e.Place().String() != "photos/app/all.yaml:10" {
			t.Errorf("the store is named at %s", e.Place())
		}
	}
	if place := n.Node("Item/photos").Place(); place.Known() {
		t.Errorf("an item of a vault stands at %s", place)
	}
}

func TestOverview(t *testing.T) {
	n := homelab(t).Network().Overview()
	for id, want := range map[string][]string{
		"HelmRelease/media/photos": {
			"chart Chart/oci://example.com/app-template@4.0.0",
			"database Cluster/media/photos",
			"image Image/ghcr.io/example/photos:1.0",
			"applies Kustomization/flux-system/photos",
			"source OCIRepository/media/app-template",
			"storage PersistentVolumeClaim/media/photos",
			"secret Secret/media/forgotten",
			"secret Secret/media/photos-secret",
			"secret Secret/media/spare soft",
		},
		"HTTPRoute/media/photos": {
			"gateway Gateway/network/internal",
			"renders HelmRelease/media/photos",
		},
		// The definition comes with the store, the source with the parent.
		"ExternalSecret/media/photos": {
			"store ClusterSecretStore/onepassword",
			"item Item/photos",
			"applies Kustomization/flux-system/photos",
		},
	} {
		if diff := cmp.Diff(want, needsOf(t, n, id)); diff != "" {
			t.Errorf("%s needs (-want +got):\n%s", id, diff)
		}
	}
	for _, node := range n.Nodes {
		if node.isMinor() {
			t.Errorf("%s is a detail", node.ID)
		}
	}
}

func TestPart(t *testing.T) {
	g := homelab(t)
	n := g.Network().Overview()
	found, err := g.FindNamed("Gateway/network/internal")
	if err != nil {
		t.Fatal(err)
	}
	got := ids(n.Part(found, 1).Nodes)
	want := []string{
		"Gateway/network/internal", "GatewayClass/envoy", "HTTPRoute/media/photos",
		"Kustomization/flux-system/gateway", "Secret/network/wildcard-tls",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is near the gateway (-want +got):\n%s", diff)
	}
	if none := n.Part(nil, 3); len(none.Nodes) != 0 {
		t.Errorf("near nothing is %v", ids(none.Nodes))
	}
}

func TestImpact(t *testing.T) {
	n := homelab(t).Network()
	for id, want := range map[string][]string{
		"Secret/media/photos-secret": {
			"stopped HTTPRoute/media/photos",
			"stopped HelmRelease/media/photos",
		},
		"Secret/media/spare": {"degraded Deployment/media/photos-worker"},
		"Cluster/media/photos": {
			// The Kustomization with the health check is not ready, so that what
			// waits for it is not applied; what it applied itself is.
			"blocked ExternalSecret/media/photos",
			"blocked HTTPRoute/media/photos",
			"blocked HelmRelease/media/photos",
			"blocked Kustomization/flux-system/photos",
			"stopped Kustomization/flux-system/photos-db",
			"blocked OCIRepository/media/app-template",
			"blocked PersistentVolumeClaim/media/photos",
			"blocked Secret/media/photos-secret",
		},
		"Gateway/network/internal": {"stopped HTTPRoute/media/photos"},
		"Item/photos": {
			"stopped ExternalSecret/media/photos",
			"stopped HTTPRoute/media/photos",
			"stopped HelmRelease/media/photos",
			"stopped Secret/media/photos-secret",
		},
		"HTTPRoute/media/photos": nil,
	} {
		var got []string
		for _, h := range n.Impact(n.Node(id)) {
			got = append(got, string(h.Effect)+" "+h.Node.ID)
			if len(h.Path) == 0 || h.Path[0].From != h.Node || h.Path[len(h.Path)-1].To.ID != id {
				t.Errorf("%s: the path of %s does not lead there: %s", id, h.Node.ID, h.Sentence())
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the failure of %s reaches (-want +got):\n%s", id, diff)
		}
	}
	hits := n.Impact(n.Node("Secret/media/photos-secret"))
	if got, want := hits[1].Sentence(), "waits for Deployment media/photos, which reads its environment from Secret media/photos-secret"; got != want {
		t.Errorf("why: %s, want %s", got, want)
	}
}

// TestImpactOfAll asks for every node, so that none makes it go astray.
func TestImpactOfAll(t *testing.T) {
	n := homelab(t).Network()
	for _, node := range n.Nodes {
		hits := n.Impact(node)
		part := n.Along(node, hits)
		for _, h := range hits {
			if part.Node(h.Node.ID) == nil {
				t.Errorf("%s: %s is not on the picture", node.ID, h.Node.ID)
			}
		}
	}
}
