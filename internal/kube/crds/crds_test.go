package crds

import (
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

func byName(t *testing.T) map[string]*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*apiextensionsv1.CustomResourceDefinition{}
	for _, crd := range all {
		if found[crd.Name] != nil {
			t.Errorf("%s comes twice", crd.Name)
		}
		found[crd.Name] = crd
	}
	return found
}

// TestAllCoversWhatHearthReconciles names each kind with a version that Hearth
// reads and writes it in.
func TestAllCoversWhatHearthReconciles(t *testing.T) {
	found := byName(t)
	for kind, version := range map[string]string{
		"gitrepositories.source.toolkit.fluxcd.io":         "v1",
		"ocirepositories.source.toolkit.fluxcd.io":         "v1",
		"helmrepositories.source.toolkit.fluxcd.io":        "v1",
		"helmcharts.source.toolkit.fluxcd.io":              "v1",
		"buckets.source.toolkit.fluxcd.io":                 "v1",
		"externalartifacts.source.toolkit.fluxcd.io":       "v1",
		"artifactgenerators.source.extensions.fluxcd.io":   "v1beta1",
		"kustomizations.kustomize.toolkit.fluxcd.io":       "v1",
		"helmreleases.helm.toolkit.fluxcd.io":              "v2",
		"providers.notification.toolkit.fluxcd.io":         "v1beta3",
		"alerts.notification.toolkit.fluxcd.io":            "v1beta3",
		"receivers.notification.toolkit.fluxcd.io":         "v1",
		"externalsecrets.external-secrets.io":              "v1",
		"clusterexternalsecrets.external-secrets.io":       "v1",
		"pushsecrets.external-secrets.io":                  "v1alpha1",
		"clusterpushsecrets.external-secrets.io":           "v1alpha1",
		"secretstores.external-secrets.io":                 "v1",
		"clustersecretstores.external-secrets.io":          "v1",
		"gatewayclasses.gateway.networking.k8s.io":         "v1",
		"gateways.gateway.networking.k8s.io":               "v1",
		"httproutes.gateway.networking.k8s.io":             "v1",
		"grpcroutes.gateway.networking.k8s.io":             "v1",
		"tlsroutes.gateway.networking.k8s.io":              "v1alpha2",
		"tcproutes.gateway.networking.k8s.io":              "v1alpha2",
		"udproutes.gateway.networking.k8s.io":              "v1alpha2",
		"referencegrants.gateway.networking.k8s.io":        "v1beta1",
		"backendtlspolicies.gateway.networking.k8s.io":     "v1",
		"fluxinstances.fluxcd.controlplane.io":             "v1",
		"resourcesets.fluxcd.controlplane.io":              "v1",
		"resourcesetinputproviders.fluxcd.controlplane.io": "v1",
	} {
		crd := found[kind]
		if crd == nil {
			t.Errorf("%s is missing", kind)
			continue
		}
		serves := slices.ContainsFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
			return v.Name == version && v.Served
		})
		if !serves {
			t.Errorf("%s does not serve %s", kind, version)
		}
	}
}

func TestAllIsTheCallersToChange(t *testing.T) {
	byName(t)["gateways.gateway.networking.k8s.io"].Spec.Group = "changed"
	if byName(t)["gateways.gateway.networking.k8s.io"].Spec.Group == "changed" {
		t.Error("a change of one answer shows in the next")
	}
}

func TestAlertAdmitsWhatFluxOperatorDoes(t *testing.T) {
	alert := byName(t)["alerts.notification.toolkit.fluxcd.io"].Spec.Versions[0]
	kinds := alert.Schema.OpenAPIV3Schema.Properties["spec"].Properties["eventSources"].Items.Schema.Properties["kind"].Enum
	var names []string
	for _, kind := range kinds {
		names = append(names, strings.Trim(string(kind.Raw), `"`))
	}
	for _, want := range []string{"Kustomization", "HelmRelease", "FluxInstance", "ResourceSet"} {
		if !slices.Contains(names, want) {
			t.Errorf("an Alert does not admit %s as a source: %v", want, names)
		}
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		group, kind, plural string
		namespaced          bool
	}{
		{"example.com", "Widget", "widgets", true},
		{"gateway.networking.k8s.io", "Gateway", "gateways", true},
		{"gateway.networking.k8s.io", "GatewayClass", "gatewayclasses", false},
		{"cilium.io", "CiliumNetworkPolicy", "ciliumnetworkpolicies", true},
		{"cilium.io", "CiliumLoadBalancerIPPool", "ciliumloadbalancerippools", false},
		{"monitoring.coreos.com", "Prometheus", "prometheuses", true},
		{"cert-manager.io", "ClusterIssuer", "clusterissuers", false},
		{"cert-manager.io", "Issuer", "issuers", true},
		{"postgresql.cnpg.io", "Cluster", "clusters", true},
		{"dragonflydb.io", "Dragonfly", "dragonflies", true},
		{"externaldns.k8s.io", "DNSEndpoint", "dnsendpoints", true},
		{"k8s.cni.cncf.io", "NetworkAttachmentDefinition", "network-attachment-definitions", true},
		{"gateway.envoyproxy.io", "EnvoyProxy", "envoyproxies", true},
		{"ceph.rook.io", "CephFilesystem", "cephfilesystems", true},
		{"snapshot.storage.k8s.io", "VolumeSnapshotClass", "volumesnapshotclasses", false},
		{"mongodbcommunity.mongodb.com", "MongoDBCommunity", "mongodbcommunity", true},
		{"example.com", "Switch", "switches", true},
		{"example.com", "Box", "boxes", true},
		{"example.com", "Clusterfox", "clusterfoxes", true},
		{"example.com", "Y", "ys", true},
		{"example.com", "", "", true},
	} {
		plural, namespaced := Names(test.group, test.kind)
		if plural != test.plural || namespaced != test.namespaced {
			t.Errorf("Names(%q, %q) = %q, %t, want %q, %t", test.group, test.kind, plural, namespaced, test.plural, test.namespaced)
		}
	}
}

// TestNamesOfAllDefinitions holds the rules against every definition at hand.
func TestNamesOfAllDefinitions(t *testing.T) {
	for _, crd := range byName(t) {
		plural, namespaced := Names(crd.Spec.Group, crd.Spec.Names.Kind)
		if plural != crd.Spec.Names.Plural || namespaced != (crd.Spec.Scope == apiextensionsv1.NamespaceScoped) {
			t.Errorf("Names(%q, %q) = %q, %t, its definition says %q, %s", crd.Spec.Group, crd.Spec.Names.Kind, plural, namespaced, crd.Spec.Names.Plural, crd.Spec.Scope)
		}
	}
}

func TestPermissiveInProtectedGroup(t *testing.T) {
	if crd := Permissive("policy.networking.k8s.io", "v1", "Rule", "rules", true); crd.Annotations[approvedAnnotation] == "" {
		t.Error("the API server refuses a definition in a k8s.io group without the annotation")
	}
	if crd := Permissive("example.com", "v1", "Rule", "rules", true); len(crd.Annotations) != 0 {
		t.Errorf("needless annotations %v", crd.Annotations)
	}
}

func FuzzNames(f *testing.F) {
	f.Add("gateway.networking.k8s.io", "Gateway")
	f.Add("", "s")
	f.Fuzz(func(t *testing.T, group, kind string) {
		plural, _ := Names(group, kind)
		if (plural == "") != (strings.ToLower(kind) == "") {
			t.Errorf("Names(%q, %q) = %q", group, kind, plural)
		}
	})
}
