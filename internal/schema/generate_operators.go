//go:build ignore

package main

// operator is one whose definitions of custom kinds Hearth carries.
type operator struct {
	// name is what people call it.
	name string
	// module is the Go module that holds the definitions, version its release
	// and sum its checksum, as go.sum writes them.
	module, version, sum string
	// files is the pattern of the files that hold them, within the module.
	files string
}

// operators are those that homelabs commonly use, where a Go module holds their
// definitions under a licence that admits this: Apache 2.0, MIT or BSD. Kinds
// that Hearth brings along anyway are left out. After a change, run go generate;
// it tells the checksum of a release where that is another.
var operators = []operator{
	{
		name: "cert-manager", module: "github.com/cert-manager/cert-manager", version: "v1.21.2",
		sum:   "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
		files: "deploy/crds/*.yaml",
	},
	{
		name: "cilium", module: "github.com/cilium/cilium", version: "v1.20.2",
		sum:   "h1:dqiEGIcXc+gqCLYG/l7VCFJ8GHyb4HUrwbZOpkX5dL8=",
		files: "pkg/k8s/apis/cilium.io/client/crds/v2*/*.yaml",
	},
	{
		name: "cloudnative-pg", module: "github.com/cloudnative-pg/cloudnative-pg", version: "v1.28.0",
		sum:   "h1:vkv0a0ewDSfJOPJrsyUr4uczsxheReAWf/k171V0Dm0=",
		files: "config/crd/bases/*.yaml",
	},
	{
		name: "envoy gateway", module: "github.com/envoyproxy/gateway", version: "v1.9.1",
		sum:   "h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=",
		files: "charts/gateway-helm/charts/crds/crds/generated/*.yaml",
	},
	{
		name: "external-dns", module: "sigs.k8s.io/external-dns", version: "v0.20.0",
		sum:   "h1:rJ4Q5c32NStvI8J+u2nyM4bcKxZG4g1NLPL0p994U9M=",
		files: "config/crd/standard/*.yaml",
	},
	{
		name: "external-secrets", module: "github.com/external-secrets/external-secrets", version: "v1.3.2",
		sum:   "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=",
		files: "config/crds/bases/*.yaml",
	},
	{
		name: "external-snapshotter", module: "github.com/kubernetes-csi/external-snapshotter/client/v8", version: "v8.7.0",
		sum:   "h1:HVaSUeRRHPu49aSiL8eXOjS9Re9G6pM0NzdTGI7mM14=",
		files: "config/crd/*_*.yaml",
	},
	{
		name: "grafana-operator", module: "github.com/grafana/grafana-operator/v5", version: "v5.18.0",
		sum:   "h1:ei7N2VfjsRjY8iprenH1IDV783WeV7CP5VNp//sB4hI=",
		files: "config/crd/bases/*.yaml",
	},
	{
		name: "keda", module: "github.com/kedacore/keda/v2", version: "v2.21.0",
		sum:   "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
		files: "config/crd/bases/*.yaml",
	},
	{
		name: "kyverno", module: "github.com/kyverno/kyverno", version: "v1.19.1",
		sum:   "h1:/MkgFii3/VlQfKR1JpC9tVwNNVNQTt2S4U6qCsafsTU=",
		files: "config/crds/*/*.yaml",
	},
	{
		name: "longhorn", module: "github.com/longhorn/longhorn-manager", version: "v1.10.0",
		sum:   "h1:Sod6dxBLu9JD/f2Ff59i6SAAc76/OaNdJab7UOpKRig=",
		files: "k8s/crds.yaml",
	},
	{
		name: "metallb", module: "go.universe.tf/metallb", version: "v0.16.2",
		sum:   "h1:RCSAGoZmqcvTg0e56+Okbwz8iTuQVX30JpKX5mYEPUM=",
		files: "config/crd/bases/*.yaml",
	},
	{
		name: "network-attachment-definition", module: "github.com/k8snetworkplumbingwg/network-attachment-definition-client", version: "v1.7.7",
		sum:   "h1:z4P744DR+PIpkjwXSEc6TvN3L6LVzmUquFgmNm8wSUc=",
		files: "artifacts/networks-crd.yaml",
	},
	{
		name: "node-feature-discovery", module: "sigs.k8s.io/node-feature-discovery", version: "v0.18.2",
		sum:   "h1:n9HJNr4IXiL65nPOHp1LBz9luKh1S6lPvoASpuPdWos=",
		files: "deployment/base/nfd-crds/nfd-api-crds.yaml",
	},
	{
		name: "opentelemetry-operator", module: "github.com/open-telemetry/opentelemetry-operator", version: "v0.137.0",
		sum:   "h1:RpaTlHGXVRtclYe0kao01SDwvftAfNYV00BuaeJJGxw=",
		files: "config/crd/bases/*.yaml",
	},
	{
		name: "plugin-barman-cloud", module: "github.com/cloudnative-pg/plugin-barman-cloud", version: "v0.15.0",
		sum:   "h1:gNVytrzzYUE08wxLDrjfJqy1FPPSFkMe1OEr4s4pVI0=",
		files: "config/crd/bases/*.yaml",
	},
	{
		name: "prometheus-operator", module: "github.com/prometheus-operator/prometheus-operator", version: "v0.85.0",
		sum:   "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
		files: "example/prometheus-operator-crd/*.yaml",
	},
	{
		name: "rook", module: "github.com/rook/rook", version: "v1.18.8",
		sum:   "h1:O4HBcdlqJE3QxysMUSeNfG9nljvbrVuuB9ygTfn5vfE=",
		files: "deploy/examples/crds.yaml",
	},
	{
		name: "sealed-secrets", module: "github.com/bitnami-labs/sealed-secrets", version: "v0.40.0",
		sum:   "h1:rvCP35JL8ZV5LNA2SrwNR6iLyoM3ulrSFWN0lBtYEYI=",
		files: "helm/sealed-secrets/crds/*.yaml",
	},
	{
		name: "tailscale", module: "tailscale.com", version: "v1.90.6",
		sum:   "h1:EhYPiZP/xcLeinikaLA0kn4CQT3+z9SZ13IB/kzWhd4=",
		files: "cmd/k8s-operator/deploy/crds/*.yaml",
	},
	{
		name: "traefik", module: "github.com/traefik/traefik/v3", version: "v3.7.13",
		sum:   "h1:T8wy9KuaFzCkmXCqAzDy7t73pBDR1DHrJe3pqXpNXTw=",
		files: "docs/content/reference/dynamic-configuration/traefik.io_*.yaml",
	},
	{
		name: "velero", module: "github.com/vmware-tanzu/velero", version: "v1.18.3",
		sum:   "h1:9uwN5yxTWQl9PsF5ljX4xiG+7VIq3I9mxOQ0DyyZ31A=",
		files: "config/crd/v*/bases/*.yaml",
	},
	{
		name: "vertical-pod-autoscaler", module: "k8s.io/autoscaler/vertical-pod-autoscaler", version: "v1.8.1",
		sum:   "h1:Pe8bV1wozN4gOKO1rleiIY5alIyAXN+DnXDbXQcL4fI=",
		files: "deploy/vpa-v1-crd-gen.yaml",
	},
	// Its API types, which these are made from, are under Apache 2.0, too.
	{
		name: "volsync", module: "github.com/backube/volsync", version: "v0.14.0",
		sum:   "h1:xdYpIYdn3pQgSSktcKlywn2X5Vo9V68iNGIj7ysqk64=",
		files: "config/crd/bases/*.yaml",
	},
}
