package graph

import "strings"

// chartBrings are the groups whose definitions a chart brings.
type chartBrings struct {
	groups []string
	// unless are switches in its values, any of which keeps them out by being false.
	unless [][]string
	// only are switches, one of which must be true: the chart's default is to
	// leave them out.
	only [][]string
}

// groupsOfChart returns the groups that a chart brings with values, and whether
// anything is known of the chart.
func groupsOfChart(name string, values field) (groups []string, known bool) {
	b, known := chartsThatBring[name]
	for _, path := range append(b.unless, commonSwitches...) {
		if values.at(path...).isFalse() {
			return nil, true
		}
	}
	if len(b.only) == 0 || !values.exists() {
		return b.groups, known
	}
	for _, path := range b.only {
		if values.at(path...).isTrue() {
			return b.groups, true
		}
	}
	return nil, true
}

// stemOf returns the part of a chart's name by which its operator calls its
// groups; "" where that would say nothing.
func stemOf(chart string) string {
	for _, suffix := range []string{"-crds", "-crd", "-chart", "-helm", "-operator", "-controller", "-stack"} {
		chart = strings.TrimSuffix(chart, suffix)
	}
	switch chart {
	case "operator", "controller", "app", "io", "com", "dev", "k8s", "kubernetes", appTemplate:
		return ""
	}
	return chart
}

// commonSwitches are how charts mostly name the switch for their definitions.
var commonSwitches = [][]string{{"installCRDs"}, {"crds", "enabled"}, {"crds", "install"}, {"crds", "create"}, {"crd", "create"}, {"crd", "enabled"}, {"createCustomResource"}}

func groups(names ...string) chartBrings { return chartBrings{groups: names} }

var (
	certManagerGroups = []string{certManagerGroup, "acme.cert-manager.io"}
	snapshotGroups    = []string{"snapshot.storage.k8s.io", "groupsnapshot.storage.k8s.io"}
	victoriaGroup     = "operator.victoriametrics.com"
	kyvernoGroups     = []string{"kyverno.io", "policies.kyverno.io", "wgpolicyk8s.io", "reports.kyverno.io"}
	traefikGroups     = []string{"traefik.io", "traefik.containo.us", "hub.traefik.io"}
	intelGroups       = []string{"deviceplugin.intel.com", "fpga.intel.com"}
)

// chartsThatBring is what is known of charts, by the chart's own name.
var chartsThatBring = map[string]chartBrings{
	"external-secrets":      groups(externalSecretsGroup, generatorsGroup),
	"external-secrets-crds": groups(externalSecretsGroup, generatorsGroup),
	"cert-manager":          {groups: certManagerGroups, only: [][]string{{"installCRDs"}, {"crds", "enabled"}}},
	"trust-manager":         groups("trust.cert-manager.io"),
	"approver-policy":       groups("policy.cert-manager.io"),

	"cloudnative-pg":         groups(postgresGroup),
	"plugin-barman-cloud":    groups(barmanGroup),
	"mariadb-operator":       groups(mariadbGroup),
	"mariadb-operator-crds":  groups(mariadbGroup),
	"postgres-operator":      groups("acid.zalan.do"),
	"pgo":                    groups("postgres-operator.crunchydata.com"),
	"dragonfly-operator":     groups(dragonflyGroup),
	"redis-operator":         groups("redis.redis.opstreelabs.in"),
	"community-operator":     groups("mongodbcommunity.mongodb.com"),
	"mysql-operator":         groups("mysql.oracle.com"),
	"eck-operator":           groups("elasticsearch.k8s.elastic.co", "kibana.k8s.elastic.co", "beat.k8s.elastic.co", "agent.k8s.elastic.co", "logstash.k8s.elastic.co"),
	"eck-operator-crds":      groups("elasticsearch.k8s.elastic.co", "kibana.k8s.elastic.co", "beat.k8s.elastic.co", "agent.k8s.elastic.co", "logstash.k8s.elastic.co"),
	"strimzi-kafka-operator": groups("kafka.strimzi.io", "core.strimzi.io"),
	"emqx-operator":          groups("apps.emqx.io"),

	"gateway-helm":       groups(gatewayGroup, envoyGroup, "gateway.networking.x-k8s.io"),
	"gateway-crds-helm":  groups(gatewayGroup, envoyGroup, "gateway.networking.x-k8s.io"),
	"gateway-api":        groups(gatewayGroup, "gateway.networking.x-k8s.io"),
	"gateway-api-crds":   groups(gatewayGroup, "gateway.networking.x-k8s.io"),
	"traefik":            {groups: traefikGroups},
	"traefik-crds":       groups(append([]string{gatewayGroup}, traefikGroups...)...),
	"cilium":             groups("cilium.io"),
	"metallb":            groups("metallb.io"),
	"kong":               groups("configuration.konghq.com"),
	"ingress":            groups("configuration.konghq.com"),
	"contour":            groups("projectcontour.io"),
	"base":               groups("networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io"),
	"istio-base":         groups("networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io"),
	"tailscale-operator": groups("tailscale.com"),
	"external-dns":       {groups: []string{"externaldns.k8s.io"}},
	"k8s-gateway":        groups("externaldns.k8s.io"),
	"multus":             groups("k8s.cni.cncf.io"),
	"whereabouts":        groups("whereabouts.cni.cncf.io"),

	"rook-ceph":           groups(rookGroup, "objectbucket.io", "csi.ceph.io"),
	"ceph-csi-operator":   groups("csi.ceph.io"),
	"longhorn":            groups("longhorn.io"),
	"openebs":             {groups: append([]string{"local.openebs.io", "zfs.openebs.io", "openebs.io"}, snapshotGroups...)},
	"volsync":             {groups: []string{volsyncGroup}, unless: [][]string{{"manageCRDs"}}},
	"snapshot-controller": {groups: snapshotGroups},
	"snapscheduler":       groups("snapscheduler.backube"),
	"k8up":                groups("k8up.io"),
	"velero":              groups("velero.io"),
	"topolvm":             groups("topolvm.io"),
	"piraeus":             groups("piraeus.io", "internal.linstor.linbit.com"),
	"operator":            groups("minio.min.io", "sts.min.io"),
	"garage":              groups("deuxfleurs.fr"),

	"kube-prometheus-stack":          groups(monitoringGroup),
	"prometheus-operator-crds":       groups(monitoringGroup),
	"prometheus-operator":            groups(monitoringGroup),
	"victoria-metrics-operator":      groups(victoriaGroup),
	"victoria-metrics-operator-crds": groups(victoriaGroup),
	"victoria-metrics-k8s-stack":     groups(victoriaGroup),
	"grafana-operator":               groups(grafanaGroup),
	"opentelemetry-operator":         groups("opentelemetry.io"),
	"silence-operator":               groups("observability.giantswarm.io", "monitoring.giantswarm.io"),
	"keda":                           groups(kedaGroup, "eventing.keda.sh"),
	"vertical-pod-autoscaler":        groups("autoscaling.k8s.io"),
	"vpa":                            groups("autoscaling.k8s.io"),

	"flux-operator":               groups(operatorGroup),
	"tofu-controller":             groups("infra.contrib.fluxcd.io"),
	"tf-controller":               groups("infra.contrib.fluxcd.io"),
	"argo-cd":                     groups("argoproj.io"),
	"argo-workflows":              groups("argoproj.io"),
	"argo-rollouts":               groups("argoproj.io"),
	"kyverno":                     groups(kyvernoGroups...),
	"sealed-secrets":              groups("bitnami.com"),
	"connect":                     {groups: []string{"onepassword.com"}},
	"secrets-store-csi-driver":    groups("secrets-store.csi.x-k8s.io"),
	"vault-secrets-operator":      groups("secrets.hashicorp.com"),
	"secrets-operator":            groups("secrets.infisical.com"),
	"doppler-kubernetes-operator": groups("secrets.doppler.com"),
	"sm-operator":                 groups("k8s.bitwarden.com"),
	"sops-secrets-operator":       groups("isindir.github.com"),

	"tuppr":                           groups("tuppr.home-operations.com"),
	"system-upgrade-controller":       groups("upgrade.cattle.io"),
	"node-feature-discovery":          groups("nfd.k8s-sigs.io"),
	"intel-device-plugins-operator":   groups(intelGroups...),
	"gpu-operator":                    groups("nvidia.com", "nfd.k8s-sigs.io"),
	"gha-runner-scale-set-controller": groups("actions.github.com"),
	"actions-runner-controller":       groups("actions.summerwind.dev"),
	"crossplane":                      groups("apiextensions.crossplane.io", "pkg.crossplane.io"),
	"trivy-operator":                  groups("aquasecurity.github.io"),
	"kubevirt":                        groups("kubevirt.io"),
	"cdi":                             groups("cdi.kubevirt.io"),
	"knative-operator":                groups("operator.knative.dev"),
	"karpenter":                       groups("karpenter.sh", "karpenter.k8s.aws"),
	"keycloak-operator":               groups("k8s.keycloak.org"),
	"rabbitmq-cluster-operator":       groups("rabbitmq.com"),
	"valkey-operator":                 groups("hyperspike.io"),
}
