package graph

import (
	"path"
	"strings"

	"hearth/internal/render/desired"
)

// The chart that a stand-in of Hearth plays faithfully.
const appTemplate = "app-template"

// chartName is the name of a release's chart, without the folders above it.
func chartName(r *desired.Release) string {
	if r.Chart != nil && !r.StandIn {
		return r.Chart.Name()
	}
	return path.Base(strings.TrimSuffix(r.ChartName, "/"))
}

// isFaithful reports whether what a release renders is all that its chart makes.
func isFaithful(r *desired.Release) bool {
	return r.Chart != nil && r.Err == nil && (!r.StandIn || chartName(r) == appTemplate)
}

// chartProducts lists what the chart of a release is known to make although it
// is not at hand: classes of storage, routing and runtimes, and what operators
// are told to run, all of which others name.
func chartProducts(r *desired.Release) []product {
	p := &products{field: field{value: map[string]any(r.Values)}, namespace: r.ReleaseNamespace, name: r.ReleaseName}
	if chartName(r) != appTemplate {
		p.classes(p.field, maxDepth)
	}
	if m := chartMakers[chartName(r)]; m != nil {
		m(p)
	}
	return p.list
}

// classes adds the storage classes that values define: a mapping storageClass
// with a name, or a list or mapping of them. Values that only name a class are
// text and no mapping.
func (p *products) classes(f field, depth int) {
	if depth == 0 {
		return
	}
	for item := range f.items() {
		p.classes(item, depth-1)
	}
	for name, value := range f.entries() {
		switch name {
		case "storageClass", "storageClasses", "hostpathClass", "volumeSnapshotClass", "snapshotClass", "volumeSnapshotClasses":
			p.class(classKind(name), value)
		default:
			p.classes(value, depth-1)
		}
	}
}

func classKind(name string) kind {
	if strings.Contains(strings.ToLower(name), "snapshot") {
		return kind{"snapshot.storage.k8s.io", "VolumeSnapshotClass"}
	}
	return storageClassKind
}

func (p *products) class(k kind, f field) {
	if f.at("enabled").isFalse() || f.at("create").isFalse() {
		return
	}
	p.add(k, f.at("name").text())
	for item := range f.items() {
		p.class(k, item)
	}
	for name, value := range f.entries() {
		if _, ok := value.value.(map[string]any); ok && name != "parameters" && name != "annotations" && name != "labels" {
			p.class(k, value)
			p.add(k, name)
		}
	}
}

// named adds the class that values name at a path, or the chart's default.
func (p *products) named(k kind, otherwise string, path ...string) {
	f := p.at(path...)
	if f.at("enabled").isFalse() || f.at("create").isFalse() {
		return
	}
	p.add(k, f.at("name").textOr(otherwise))
}

// chartMakers are what charts make by default, by the chart's name.
var chartMakers = map[string]maker{
	"rook-ceph-cluster": rookCluster,
	"flux-instance": func(p *products) {
		p.add(kind{operatorGroup, "FluxInstance"}, p.at("instance", "name").textOr("flux"))
	},
	"cilium": func(p *products) {
		if p.at("gatewayAPI", "enabled").isTrue() {
			p.add(gatewayClassKind, "cilium")
		}
		if p.at("ingressController", "enabled").isTrue() {
			p.add(ingressClassKind, "cilium")
		}
	},
	"ingress-nginx": func(p *products) { p.named(ingressClassKind, "nginx", "controller", "ingressClassResource") },
	"traefik": func(p *products) {
		p.named(ingressClassKind, p.name, "ingressClass")
		p.named(gatewayClassKind, "traefik", "gatewayClass")
	},
	"local-path-provisioner":          func(p *products) { p.named(storageClassKind, "local-path", "storageClass") },
	"nfs-subdir-external-provisioner": func(p *products) { p.named(storageClassKind, "nfs-client", "storageClass") },
	"csi-driver-nfs":                  func(p *products) { p.named(storageClassKind, "nfs-csi", "storageClass") },
	"longhorn": func(p *products) {
		p.add(storageClassKind, "longhorn", "longhorn-static")
	},
	"localpv-provisioner": func(p *products) { p.named(storageClassKind, "openebs-hostpath", "hostpathClass") },
	"openebs": func(p *products) {
		p.named(storageClassKind, "openebs-hostpath", "localpv-provisioner", "hostpathClass")
		p.add(storageClassKind, "openebs-single-replica")
	},
	"gpu-operator":    func(p *products) { p.add(kind{"node.k8s.io", "RuntimeClass"}, "nvidia", "nvidia-cdi", "nvidia-legacy") },
	"synology-csi":    func(p *products) { p.add(storageClassKind, "synology-iscsi-storage") },
	"ceph-csi-rbd":    func(p *products) { p.named(storageClassKind, "csi-rbd-sc", "storageClass") },
	"ceph-csi-cephfs": func(p *products) { p.named(storageClassKind, "csi-cephfs-sc", "storageClass") },
}

// rookCluster follows the chart of a Ceph cluster: its lists replace the
// defaults as a whole.
func rookCluster(p *products) {
	p.add(kind{rookGroup, "CephCluster"}, p.at("clusterName").textOr(p.namespace))
	p.services("rook-ceph-mgr", "rook-ceph-mgr-dashboard", "rook-ceph-exporter")
	for _, pool := range []struct{ list, class, object string }{
		{"cephBlockPools", "ceph-block", "CephBlockPool"},
		{"cephFileSystems", "ceph-filesystem", "CephFilesystem"},
		{"cephObjectStores", "ceph-bucket", "CephObjectStore"},
	} {
		if !p.at(pool.list).exists() {
			p.add(storageClassKind, pool.class)
		}
		for item := range p.at(pool.list).items() {
			p.add(kind{rookGroup, pool.object}, item.at("name").text())
			if pool.object == "CephObjectStore" {
				p.services("rook-ceph-rgw-" + item.at("name").text())
			}
		}
	}
	snapshots := kind{"snapshot.storage.k8s.io", "VolumeSnapshotClass"}
	for name, otherwise := range map[string]string{
		"cephFileSystemVolumeSnapshotClass": "ceph-filesystem", "cephBlockPoolsVolumeSnapshotClass": "ceph-block",
	} {
		if class := p.at(name); class.at("enabled").isTrue() {
			p.add(snapshots, class.at("name").textOr(otherwise))
		}
	}
}
