package examples

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// everything is what the cluster holds once all releases are installed.
func (h *homelab) everything(t *testing.T) map[string]object {
	t.Helper()
	all := maps.Clone(h.objects)
	for _, release := range h.releases(t) {
		for _, one := range release.objects {
			if _, twice := all[name(one)]; twice {
				t.Errorf("%s makes %s, which is there already", name(release.helm), name(one))
			}
			all[name(one)] = one
		}
	}
	return all
}

// podSpec returns the pod template's spec of a workload, or nil.
func podSpec(one object) any {
	if text(one, "kind") == "CronJob" {
		return field(one, "spec", "jobTemplate", "spec", "template", "spec")
	}
	return field(one, "spec", "template", "spec")
}

var pinned = regexp.MustCompile(`^[a-z0-9.-]+\.[a-z]+(/[a-z0-9._-]+)+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}$`)

// images collects every image below a value: image, imageName and the like.
func images(at any, found *[]string) {
	switch node := at.(type) {
	case map[string]any:
		for key, value := range node {
			if reference, ok := value.(string); ok && (key == "image" || key == "imageName") {
				*found = append(*found, reference)
			}
			images(value, found)
		}
	case []any:
		for _, value := range node {
			images(value, found)
		}
	}
}

func TestEveryImageIsPinnedByDigest(t *testing.T) {
	each(t, func(t *testing.T, h *homelab) {
		workloads := 0
		for id, one := range h.everything(t) {
			if text(one, "kind") == "HelmRelease" { // its values become the workloads below
				continue
			}
			var found []string
			images(one, &found)
			for _, image := range found {
				if !pinned.MatchString(image) {
					t.Errorf("%s has the image %s, which is not tag@sha256:digest", id, image)
				}
			}
			if podSpec(one) != nil {
				workloads++
			}
		}
		if workloads < 10 {
			t.Errorf("only %d workloads", workloads)
		}
	})
}

// TestPodsFindWhatTheyMount holds that whatever a pod refers to will be there.
func TestPodsFindWhatTheyMount(t *testing.T) {
	each(t, func(t *testing.T, h *homelab) {
		all := h.everything(t)
		there := map[string]bool{
			"Secret external-secrets/onepassword-connect-credentials": true, // both by the bootstrap
			"Secret external-secrets/onepassword-connect-token":       true,
		}
		for id, one := range all {
			there[id] = true
			if text(one, "kind") == "ExternalSecret" {
				there["Secret "+text(one, "metadata", "namespace")+"/"+text(one, "spec", "target", "name")] = true
			}
		}
		for id, one := range all {
			ns := text(one, "metadata", "namespace")
			need := func(kind, named string) {
				if named != "" && !there[kind+" "+ns+"/"+named] {
					t.Errorf("%s refers to %s %s, which does not exist", id, kind, named)
				}
			}
			spec := podSpec(one)
			need("ServiceAccount", text(spec, "serviceAccountName"))
			for _, volume := range items(spec, "volumes") {
				need("ConfigMap", text(volume, "configMap", "name"))
				need("Secret", text(volume, "secret", "secretName"))
				need("PersistentVolumeClaim", text(volume, "persistentVolumeClaim", "claimName"))
			}
			for _, container := range append(items(spec, "initContainers"), items(spec, "containers")...) {
				for _, from := range items(container, "envFrom") {
					need("ConfigMap", text(from, "configMapRef", "name"))
					need("Secret", text(from, "secretRef", "name"))
				}
				for _, variable := range items(container, "env") {
					need("ConfigMap", text(variable, "valueFrom", "configMapKeyRef", "name"))
					need("Secret", text(variable, "valueFrom", "secretKeyRef", "name"))
				}
			}
			if text(one, "kind") == "Cluster" {
				need("Secret", text(one, "spec", "bootstrap", "initdb", "secret", "name"))
			}
		}
	})
}

func TestRoutesLeadSomewhere(t *testing.T) {
	each(t, func(t *testing.T, h *homelab) {
		all := h.everything(t)
		public, private := 0, 0
		for id, one := range all {
			if text(one, "kind") != "HTTPRoute" {
				continue
			}
			for _, parent := range items(one, "spec", "parentRefs") {
				gateway := all["Gateway "+text(parent, "namespace")+"/"+text(parent, "name")]
				if gateway == nil {
					t.Errorf("%s attaches to Gateway %s, which does not exist", id, text(parent, "name"))
				}
				if !slices.ContainsFunc(items(gateway, "spec", "listeners"), func(l any) bool { return text(l, "name") == text(parent, "sectionName") }) {
					t.Errorf("%s attaches to a listener %q that its Gateway does not have", id, text(parent, "sectionName"))
				}
				if text(parent, "name") == "envoy-external" {
					public++
				} else {
					private++
				}
			}
			for _, rule := range items(one, "spec", "rules") {
				for _, backend := range items(rule, "backendRefs") {
					service := all["Service "+text(backend, "namespace")+"/"+text(backend, "name")]
					if !slices.ContainsFunc(items(service, "spec", "ports"), func(p any) bool {
						return fmt.Sprint(field(p, "port")) == fmt.Sprint(field(backend, "port"))
					}) {
						t.Errorf("%s leads to %s port %v, which no service offers", id, text(backend, "name"), field(backend, "port"))
					}
				}
			}
		}
		if private == 0 || (h.cluster == "main" && public < 2) {
			t.Errorf("%d public and %d private attachments", public, private)
		}
	})
}

func TestClaimsNameAStorageClassThatExists(t *testing.T) {
	each(t, func(t *testing.T, h *homelab) {
		all := h.everything(t)
		claims := 0
		wants := func(id, class string) {
			claims++
			if all["StorageClass /"+class] == nil {
				t.Errorf("%s wants storage class %q, which does not exist", id, class)
			}
		}
		for id, one := range all {
			switch text(one, "kind") {
			case "PersistentVolumeClaim":
				wants(id, text(one, "spec", "storageClassName"))
			case "Cluster":
				wants(id, text(one, "spec", "storage", "storageClass"))
			}
			for _, claim := range items(one, "spec", "volumeClaimTemplates") {
				wants(id, text(claim, "spec", "storageClassName"))
			}
		}
		if claims == 0 {
			t.Error("nobody wants storage")
		}
	})
}

// suppliedByHearth are the groups whose kinds are there before anything is applied.
var suppliedByHearth = []string{"external-secrets.io", "fluxcd.controlplane.io", "gateway.networking.k8s.io",
	"helm.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"}

// TestEveryKindIsDefined holds that a chart of the example brings the kinds
// that its manifests use, and none that Hearth supplies.
func TestEveryKindIsDefined(t *testing.T) {
	each(t, func(t *testing.T, h *homelab) {
		defined := map[string]bool{}
		for _, release := range h.releases(t) {
			for _, crd := range release.crds {
				group, kind := text(crd, "spec", "group"), text(crd, "spec", "names", "kind")
				if slices.Contains(suppliedByHearth, group) {
					t.Errorf("%s brings %s, which is there already", name(release.helm), kind)
				}
				if want := text(crd, "spec", "names", "plural") + "." + group; text(crd, "metadata", "name") != want {
					t.Errorf("CRD %s must be called %s", text(crd, "metadata", "name"), want)
				}
				for _, version := range items(crd, "spec", "versions") {
					defined[group+"/"+text(version, "name")+" "+kind] = true
				}
			}
		}
		for id, one := range h.everything(t) {
			api := text(one, "apiVersion")
			group, _, grouped := strings.Cut(api, "/")
			builtIn := !grouped || !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io") && group != "gateway.networking.k8s.io"
			if !builtIn && !slices.Contains(suppliedByHearth, group) && !defined[api+" "+text(one, "kind")] {
				t.Errorf("%s is of a kind (%s) that no chart brings", id, api)
			}
		}
	})
}
