//go:build ignore

package main

// operator is one whose custom kinds Hearth carries the definitions of.
type operator struct {
	// name is what people call it.
	name string
	// module is the Go module that carries the definitions, and version the
	// release of it. Sum is the module's checksum, as go.sum has it.
	module, version, sum string
	// files are patterns of the files that hold them, within the module.
	files []string
}

// operators are those that homelabs commonly use and whose modules hold their
// definitions under a licence that admits their use here: Apache 2.0, MIT or
// BSD. A kind that two of them define is the first one's.
var operators = []operator{
	{"cert-manager", "github.com/cert-manager/cert-manager", "v1.21.2", "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=", []string{"deploy/crds/*.yaml"}},
	{"prometheus-operator", "github.com/prometheus-operator/prometheus-operator", "v0.85.0", "", []string{"example/prometheus-operator-crd/*.yaml"}},
	{"cloudnative-pg", "github.com/cloudnative-pg/cloudnative-pg", "v1.28.0", "", []string{"config/crd/bases/*.yaml"}},
	{"plugin-barman-cloud", "github.com/cloudnative-pg/plugin-barman-cloud", "v0.15.0", "", []string{"config/crd/bases/*.yaml"}},
	{"cilium", "github.com/cilium/cilium", "v1.20.2", "", []string{"pkg/k8s/apis/cilium.io/client/crds/v2*/*.yaml"}},
	{"envoy gateway", "github.com/envoyproxy/gateway", "v1.9.1", "", []string{"charts/gateway-helm/charts/crds/crds/generated/*.yaml"}},
	{"grafana-operator", "github.com/grafana/grafana-operator/v5", "v5.18.0", "", []string{"config/crd/bases/*.yaml"}},
	{"external-dns", "sigs.k8s.io/external-dns", "v0.20.0", "", []string{"config/crd/standard/*.yaml"}},
	{"node-feature-discovery", "sigs.k8s.io/node-feature-discovery", "v0.18.2", "", []string{"deployment/base/nfd-crds/nfd-api-crds.yaml", "deployment/base/noderesourcetopologies-crd/*.yaml"}},
	{"network-attachment-definition-client", "github.com/k8snetworkplumbingwg/network-attachment-definition-client", "v1.7.7", "", []string{"artifacts/networks-crd.yaml"}},
	{"volsync", "github.com/backube/volsync", "v0.14.0", "", []string{"config/crd/bases/*.yaml"}},
	{"rook", "github.com/rook/rook", "v1.18.8", "", []string{"deploy/examples/crds.yaml"}},
	{"keda", "github.com/kedacore/keda/v2", "v2.21.0", "", []string{"config/crd/bases/*.yaml"}},
	{"kyverno", "github.com/kyverno/kyverno", "v1.19.1", "", []string{"config/crds/*/*.yaml"}},
	{"metallb", "go.universe.tf/metallb", "v0.16.2", "", []string{"config/crd/bases/*.yaml"}},
	{"traefik", "github.com/traefik/traefik/v3", "v3.7.13", "", []string{"docs/content/reference/dynamic-configuration/traefik.io_*.yaml"}},
	{"sealed-secrets", "github.com/bitnami-labs/sealed-secrets", "v0.40.0", "", []string{"helm/sealed-secrets/crds/*.yaml"}},
	{"velero", "github.com/vmware-tanzu/velero", "v1.18.3", "", []string{"config/crd/v*/bases/*.yaml"}},
	{"opentelemetry-operator", "github.com/open-telemetry/opentelemetry-operator", "v0.137.0", "", []string{"config/crd/bases/*.yaml"}},
	{"tailscale", "tailscale.com", "v1.90.6", "", []string{"cmd/k8s-operator/deploy/crds/*.yaml"}},
	{"external-snapshotter", "github.com/kubernetes-csi/external-snapshotter/client/v8", "v8.7.0", "", []string{"config/crd/groupsnapshot*.yaml"}},
}
