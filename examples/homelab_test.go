package examples

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

var clusters = []string{"main", "staging"}

// each runs a check for every cluster.
func each(t *testing.T, check func(t *testing.T, h *homelab)) {
	for _, cluster := range clusters {
		t.Run(cluster, func(t *testing.T) { check(t, build(t, cluster)) })
	}
}

// stages are the bootstrap order of the domain model, by Kustomization.
var stages = map[string][]string{
	"main": {"kube-system/cilium", "kube-system/coredns", "system/spegel", "cert-manager/cert-manager", "external-secrets/external-secrets",
		"dbms/cloudnative-pg-operator", "network/envoy-gateway", "self-hosted/whoami"},
	"staging": {"kube-system/cilium", "kube-system/coredns", "cert-manager/cert-manager", "external-secrets/external-secrets",
		"dbms/cloudnative-pg-operator", "network/envoy-gateway", "self-hosted/whoami"},
}

func TestEveryFolderIsApplied(t *testing.T) {
	each(t, func(t *testing.T, h *homelab) {
		if least := map[string]int{"main": 26, "staging": 16}[h.cluster]; len(h.applied) < least {
			t.Errorf("%d Kustomizations, want at least %d", len(h.applied), least)
		}
		used := map[string]bool{}
		for _, one := range h.applied {
			used[filepath.Clean(text(one.kustomization, "spec", "path"))] = true
		}
		installs, err := filepath.Glob(filepath.Join(h.root, "kubernetes", h.cluster, "apps/*/*/install.yaml"))
		if err != nil || len(installs) == 0 {
			t.Fatalf("no install.yaml: %v", err)
		}
		for _, install := range installs {
			folders, err := filepath.Glob(filepath.Join(filepath.Dir(install), "*", "kustomization.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for _, folder := range folders {
				path, _ := filepath.Rel(h.root, filepath.Dir(folder))
				if !used[path] {
					t.Errorf("%s is applied by no Kustomization", path)
				}
			}
		}
	})
}

// clusterScoped are the kinds of the example that stand in no namespace.
var clusterScoped = []string{"Namespace", "CiliumLoadBalancerIPPool", "CiliumL2AnnouncementPolicy", "ClusterIssuer", "ClusterSecretStore", "GatewayClass",
	"ClusterRole", "ClusterRoleBinding", "StorageClass", "CustomResourceDefinition"}

func TestEveryNamespacedObjectHasANamespaceThatExists(t *testing.T) {
	each(t, func(t *testing.T, h *homelab) {
		objects := maps.Clone(h.objects)
		for _, release := range h.releases(t) {
			for _, one := range release.objects {
				objects[name(one)] = one
			}
		}
		for id, one := range objects {
			if slices.Contains(clusterScoped, text(one, "kind")) {
				continue
			}
			if h.objects["Namespace /"+text(one, "metadata", "namespace")] == nil {
				t.Errorf("%s is in no namespace that the cluster makes", id)
			}
		}
	})
}

func TestDependenciesExistAndKeepTheBootstrapOrder(t *testing.T) {
	each(t, func(t *testing.T, h *homelab) {
		needs := map[string][]string{}
		for _, one := range h.applied {
			ks := one.kustomization
			id := text(ks, "metadata", "namespace") + "/" + text(ks, "metadata", "name")
			for _, dependency := range items(ks, "spec", "dependsOn") {
				on := text(dependency, "namespace") + "/" + text(dependency, "name")
				if _, ok := h.applied["Kustomization "+on]; !ok {
					t.Errorf("%s depends on %s, which does not exist", id, on)
				}
				needs[id] = append(needs[id], on)
			}
		}
		var reaches func(from, to string, depth int) bool
		reaches = func(from, to string, depth int) bool {
			if depth > len(h.applied) {
				t.Fatalf("dependencies go in a circle at %s", from)
			}
			found := from == to
			for _, next := range needs[from] {
				found = reaches(next, to, depth+1) || found
			}
			return found
		}
		for id := range needs {
			reaches(id, "", 0)
		}
		order := stages[h.cluster]
		for i := 1; i < len(order); i++ {
			if !reaches(order[i], order[i-1], 0) {
				t.Errorf("%s does not wait for %s", order[i], order[i-1])
			}
		}
		for _, release := range h.all("HelmRelease") {
			for _, dependency := range items(release, "spec", "dependsOn") {
				on := "HelmRelease " + text(dependency, "namespace") + "/" + text(dependency, "name")
				if h.objects[on] == nil {
					t.Errorf("%s depends on %s, which does not exist", name(release), on)
				}
			}
		}
	})
}

func TestDefaultsReachKustomizationsAndReleases(t *testing.T) {
	each(t, func(t *testing.T, h *homelab) {
		for _, ks := range h.all("Kustomization") {
			if text(ks, "metadata", "name") != "cluster-apps" && text(ks, "spec", "deletionPolicy") != "WaitForTermination" {
				t.Errorf("%s misses the defaults of cluster-apps", name(ks))
			}
		}
		for _, release := range h.all("HelmRelease") {
			for _, phase := range []string{"install", "upgrade"} {
				if retries := field(release, "spec", phase, "remediation", "retries"); fmt.Sprint(retries) != "3" {
					t.Errorf("%s retries its %s %v times, want 3", name(release), phase, retries)
				}
				if text(release, "spec", phase, "crds") != "CreateReplace" {
					t.Errorf("%s misses the defaults that cluster-apps hands down", name(release))
				}
			}
			if text(release, "spec", "interval") != "1h" || fmt.Sprint(field(release, "spec", "maxHistory")) != "3" || field(release, "spec", "upgrade", "cleanupOnFail") != true {
				t.Errorf("%s misses a standard field", name(release))
			}
		}
	})
}

// vault maps "item" to its fields, for one vault of vault.yaml.
func (h *homelab) vault(t *testing.T, named string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, vault := range items(readYAML(t, filepath.Join(h.root, text(h.settings(t), "vault")))[0], "vaults") {
		if text(vault, "name") != named {
			continue
		}
		for _, item := range items(vault, "items") {
			for _, one := range items(item, "fields") {
				if text(one, "value") == "" {
					t.Errorf("vault.yaml: %s of %s has no value", text(one, "label"), text(item, "title"))
				}
				found[text(item, "title")] = append(found[text(item, "title")], text(one, "label"))
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("vault.yaml has no vault %s", named)
	}
	return found
}

// vaultNames are the vaults that the cluster's store searches.
func (h *homelab) vaultName(t *testing.T) string {
	t.Helper()
	stores := h.all("ClusterSecretStore")
	if len(stores) != 1 || text(stores[0], "metadata", "name") != "onepassword-connect" {
		t.Fatalf("want one ClusterSecretStore onepassword-connect, got %v", stores)
	}
	vaults, _ := field(stores[0], "spec", "provider", "onepassword", "vaults").(map[string]any)
	for named := range vaults {
		return named
	}
	t.Fatal("the ClusterSecretStore names no vault")
	return ""
}

var templateField = regexp.MustCompile(`\{\{-?\s*\.([A-Za-z_][A-Za-z0-9_]*)`)

func TestTheVaultHoldsWhatSecretsAskFor(t *testing.T) {
	each(t, func(t *testing.T, h *homelab) {
		vault := h.vault(t, h.vaultName(t))
		secrets := h.all("ExternalSecret")
		if len(secrets) == 0 {
			t.Fatal("no ExternalSecret")
		}
		for _, secret := range secrets {
			if text(secret, "spec", "refreshInterval") != "12h" || text(secret, "spec", "secretStoreRef", "kind") != "ClusterSecretStore" {
				t.Errorf("%s misses a standard field", name(secret))
			}
			var fields []string
			for _, from := range items(secret, "spec", "dataFrom") {
				item := text(from, "extract", "key")
				if vault[item] == nil {
					t.Errorf("%s asks for item %q, which the vault does not have", name(secret), item)
				}
				fields = append(fields, vault[item]...)
			}
			data, _ := field(secret, "spec", "target", "template", "data").(map[string]any)
			if len(data) == 0 {
				t.Errorf("%s fills no key", name(secret))
			}
			for key, value := range data {
				for _, match := range templateField.FindAllStringSubmatch(fmt.Sprint(value), -1) {
					if !slices.Contains(fields, match[1]) {
						t.Errorf("%s: key %s uses field %s, which its items do not have", name(secret), key, match[1])
					}
				}
			}
		}
	})
}

var secretReference = regexp.MustCompile(`op://([^/\s]+)/([^/\s]+)/([^/\s]+)`)

func TestTheBootstrapFitsTheRest(t *testing.T) {
	each(t, func(t *testing.T, h *homelab) {
		folder := filepath.Join(h.root, "kubernetes", h.cluster)
		templates := []string{"bootstrap/resources.yaml.j2", "talos/machineconfig.yaml.j2"}
		for _, path := range templates {
			data, err := os.ReadFile(filepath.Join(folder, path))
			if err != nil {
				t.Fatal(err)
			}
			references := secretReference.FindAllStringSubmatch(string(data), -1)
			if len(references) == 0 {
				t.Errorf("%s refers to no secret", path)
			}
			for _, ref := range references {
				if !slices.Contains(h.vault(t, ref[1])[ref[2]], ref[3]) {
					t.Errorf("%s: the vault has nothing at %s", path, ref[0])
				}
			}
		}
		known := map[string]bool{}
		for _, file := range []string{"00-crds.yaml", "01-apps.yaml"} {
			for _, release := range items(readYAML(t, filepath.Join(folder, "bootstrap/helmfile.d", file))[0], "releases") {
				id := text(release, "namespace") + "/" + text(release, "name")
				if loaded := h.chart(t, text(release, "chart")); loaded.Metadata.Version != text(release, "version") {
					t.Errorf("%s: %s asks for %s of a chart that is %s", file, id, text(release, "version"), loaded.Metadata.Version)
				}
				for _, need := range items(release, "needs") {
					if !known[fmt.Sprint(need)] {
						t.Errorf("%s: %s needs %v, which does not come before it", file, id, need)
					}
				}
				known[id] = true
				if file == "01-apps.yaml" && h.objects["HelmRelease "+id] == nil {
					t.Errorf("%s: Flux would not take over release %s", file, id)
				}
			}
		}
	})
}

func TestNoAddressOfTheOtherCluster(t *testing.T) {
	foreign := map[string]*regexp.Regexp{"main": regexp.MustCompile(`\b10\.12\.\d+\.\d+`), "staging": regexp.MustCompile(`\b10\.11\.\d+\.\d+`)}
	each(t, func(t *testing.T, h *homelab) {
		err := filepath.WalkDir(filepath.Join(h.root, "kubernetes", h.cluster), func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if foreign[h.cluster].Match(data) {
				t.Errorf("%s holds an address of the other cluster", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
