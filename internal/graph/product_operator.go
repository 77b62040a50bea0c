package graph

// operatorMakers are kinds of other operators.
var operatorMakers = makerTable{
	{operatorGroup, "FluxInstance"}: fluxInstance,
	{operatorGroup, "ResourceSet"}:  resourceSet,
	{rookGroup, "CephCluster"}: func(p *products) {
		p.services("rook-ceph-mgr", "rook-ceph-mgr-dashboard", "rook-ceph-exporter")
		p.secrets("rook-csi-rbd-provisioner", "rook-csi-rbd-node", "rook-csi-cephfs-provisioner", "rook-csi-cephfs-node",
			"rook-ceph-mon", "rook-ceph-config", "rook-ceph-dashboard-password", "rook-ceph-admin-keyring")
		p.add(configMapKind, "rook-ceph-mon-endpoints", "rook-ceph-csi-config")
	},
	{rookGroup, "CephObjectStore"}: func(p *products) { p.services("rook-ceph-rgw-" + p.name) },
	{rookGroup, "CephObjectStoreUser"}: func(p *products) {
		p.secrets("rook-ceph-object-user-" + p.at("spec", "store").text() + "-" + p.name)
		for item := range p.at("spec", "keys").items() {
			p.secrets(item.at("secretRef", "name").text())
		}
	},
	{rookGroup, "CephNFS"}:               func(p *products) { p.services("rook-ceph-nfs-" + p.name + "-a") },
	{monitoringGroup, "Prometheus"}:      func(p *products) { p.services("prometheus-operated") },
	{monitoringGroup, "PrometheusAgent"}: func(p *products) { p.services("prometheus-agent-operated") },
	{monitoringGroup, "Alertmanager"}: func(p *products) {
		p.services("alertmanager-operated")
		p.secrets("alertmanager-" + p.name + "-generated")
	},
	{monitoringGroup, "ThanosRuler"}: func(p *products) { p.services("thanos-ruler-operated") },
	{grafanaGroup, "Grafana"}: func(p *products) {
		p.suffixed(serviceKind, "-service", "-alerting")
		p.suffixed(secretKind, "-admin-credentials")
		p.suffixed(configMapKind, "-ini", "-plugins")
		p.suffixed(serviceAccountKind, "-sa")
		p.suffixed(kind{"apps", "Deployment"}, "-deployment")
		p.suffixed(claimKind, "-pvc")
	},
	{volsyncGroup, "ReplicationDestination"}: func(p *products) {
		for _, mover := range p.at("spec").entries() {
			if !mover.at("destinationPVC").exists() {
				p.add(claimKind, "volsync-"+p.name+"-dest")
			}
		}
		p.add(claimKind, "volsync-dst-"+p.name+"-cache")
	},
	{volsyncGroup, "ReplicationSource"}: func(p *products) {
		p.add(claimKind, "volsync-"+p.name+"-src", "volsync-src-"+p.name+"-cache")
	},
	{envoyGroup, "EnvoyProxy"}: func(p *products) {
		p.everywhere(serviceKind, p.at("spec", "provider", "kubernetes", "envoyService", "name").text(), anyNamespace)
	},
	{"operator.victoriametrics.com", "VMUser"}: func(p *products) { p.secrets("vmuser-" + p.name) },
	{"operator.victoriametrics.com", "VMCluster"}: func(p *products) {
		p.services("vmselect-"+p.name, "vminsert-"+p.name, "vmstorage-"+p.name, "vmclusterlb-"+p.name)
	},
	{"operator.victoriametrics.com", "VMSingle"}:       prefixedService("vmsingle-"),
	{"operator.victoriametrics.com", "VMAgent"}:        prefixedService("vmagent-"),
	{"operator.victoriametrics.com", "VMAlert"}:        prefixedService("vmalert-"),
	{"operator.victoriametrics.com", "VMAuth"}:         prefixedService("vmauth-"),
	{"operator.victoriametrics.com", "VMAlertmanager"}: prefixedService("vmalertmanager-"),
	{"operator.victoriametrics.com", "VLogs"}:          prefixedService("vlogs-"),
	{"operator.victoriametrics.com", "VLSingle"}:       prefixedService("vlsingle-"),
	{"operator.victoriametrics.com", "VTSingle"}:       prefixedService("vtsingle-"),
	{"opentelemetry.io", "OpenTelemetryCollector"}: func(p *products) {
		p.suffixed(serviceKind, "-collector", "-collector-headless", "-collector-monitoring")
	},
	{"apps.emqx.io", "EMQX"}: func(p *products) { p.suffixed(serviceKind, "-listeners", "-dashboard", "-headless") },
	{"minio.min.io", "Tenant"}: func(p *products) {
		p.services("minio", p.name+"-console", p.name+"-hl")
	},
	{"k8s.keycloak.org", "Keycloak"}: func(p *products) {
		p.suffixed(serviceKind, "-service", "-discovery")
		p.suffixed(secretKind, "-initial-admin")
	},
	{"actions.github.com", "AutoscalingRunnerSet"}: func(p *products) { p.add(serviceAccountKind, p.name+"-gha-rs-no-permission") },
}

func prefixedService(prefix string) maker {
	return func(p *products) { p.services(prefix + p.name) }
}

// fluxControllers are what an installation of Flux brings.
var fluxControllers = []string{
	"source-controller", "kustomize-controller", "helm-controller", "notification-controller",
	"image-reflector-controller", "image-automation-controller", "source-watcher",
}

func fluxInstance(p *products) {
	p.services("source-controller", "notification-controller", "webhook-receiver", "source-watcher")
	p.add(serviceAccountKind, fluxControllers...)
	p.add(kind{"apps", "Deployment"}, fluxControllers...)
	sync := p.at("spec", "sync")
	if !sync.exists() {
		return
	}
	name := sync.at("name").textOr(p.namespace)
	p.add(kind{sourceGroup, sync.at("kind").textOr("GitRepository")}, name)
	p.add(kustomizationKind, name)
}

// resourceSet adds the resources that are written out; what is named by a
// template is a doubt.
func resourceSet(p *products) {
	for resource := range p.at("spec", "resources").items() {
		k := kind{groupOf(resource.at("apiVersion").text()), resource.at("kind").text()}
		p.elsewhere(k, resource.at("metadata", "namespace").text(), resource.at("metadata", "name").text())
	}
}
