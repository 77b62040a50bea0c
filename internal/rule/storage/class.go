package storage

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/rule"
)

// nature is what stands behind a storage class.
type nature int

const (
	// unknownNature: nobody knows.
	unknownNature nature = iota
	// block: a device over the network, which one node at a time can mount.
	block
	// filesystem: a distributed filesystem that many nodes can mount.
	filesystem
	// nfs: files of another machine.
	nfs
	// other: known, and nothing is said against it: a disk of the node, say.
	other
)

func (n nature) String() string {
	return [...]string{"unknown", "block storage", "a shared filesystem", "NFS", "storage"}[n]
}

// provisioners tell what a class is by the name of its provisioner; the first
// whose text is in the name counts.
var provisioners = []struct {
	part string
	is   nature
}{
	{"rbd.csi.ceph.com", block},
	{"cephfs.csi.ceph.com", filesystem},
	{"nfs.csi.ceph.com", nfs},
	{"ceph.rook.io/bucket", other},
	{"nfs", nfs},
	{"smb.csi.k8s.io", nfs},
	{"seaweedfs", filesystem},
	{"juicefs", filesystem},
	{"glusterfs", filesystem},
	{"efs.csi.aws.com", nfs},
	{"ebs.csi.aws.com", block},
	{"disk.csi.azure.com", block},
	{"csi.hetzner.cloud", block},
	{"dobs.csi.digitalocean.com", block},
	{"csi.proxmox.sinextra.dev", block},
	{"cinder.csi.openstack.org", block},
	{"iscsi", block},
}

func natureOfProvisioner(name string) nature {
	for _, p := range provisioners {
		if strings.Contains(name, p.part) {
			return p.is
		}
	}
	return unknownNature
}

// classes answers what the storage classes of a cluster are.
type classes struct {
	*rule.Cluster
	config repo.Config
	// standard is the class of claims that name none; "" where that is not
	// clear.
	standard string
	known    map[string]nature
	names    []string
}

func newClasses(c *rule.Cluster, config repo.Config) *classes {
	s := &classes{Cluster: c, config: config, known: map[string]nature{}}
	standard := map[string]bool{}
	for _, o := range c.State.OfKind(storageGroup, "StorageClass") {
		if o.GetAnnotations()["storageclass.kubernetes.io/is-default-class"] == "true" {
			standard[o.GetName()] = true
		}
	}
	if len(standard) == 1 {
		for name := range standard {
			s.standard = name
		}
	}
	return s
}

const storageGroup = "storage.k8s.io"

// uses returns what a class is for, as .hearth.yaml or the domain model says;
// none where neither does.
func (s *classes) uses(class string) []string { return s.config.StorageClasses[class].For }

// isFor reports whether a class may be used for something: nothing is said of
// it, or this is.
func (s *classes) isFor(class string, use domain.StorageUse) bool {
	uses := s.uses(class)
	return len(uses) == 0 || slices.Contains(uses, string(use))
}

// nature returns what stands behind a class.
func (s *classes) nature(class string) nature {
	if n, ok := s.known[class]; ok {
		return n
	}
	by, _ := s.Graph.Provider(storageGroup, "StorageClass", "", class)
	n := s.natureBy(by, class)
	s.known[class] = n
	return n
}

func (s *classes) natureBy(by *desired.Object, class string) nature {
	if by == nil {
		return unknownNature
	}
	switch by.GetKind() {
	case "StorageClass":
		provisioner, _ := by.Object["provisioner"].(string)
		return natureOfProvisioner(provisioner)
	case "PersistentVolume":
		return natureOfVolume(by)
	case "HelmRelease":
		if r := s.State.Release(by.GetNamespace(), by.GetName()); r != nil {
			return natureOfRelease(r, class)
		}
	}
	return unknownNature
}

// natureOfVolume tells what a volume that was written by hand is.
func natureOfVolume(o *desired.Object) nature {
	var v corev1.PersistentVolumeSpec
	switch content, _ := o.Object["spec"].(map[string]any); {
	case !decode(content, &v):
		return unknownNature
	case v.NFS != nil:
		return nfs
	case v.CSI != nil:
		return natureOfProvisioner(v.CSI.Driver)
	case v.CephFS != nil:
		return filesystem
	case v.RBD != nil || v.ISCSI != nil:
		return block
	}
	return other
}

// natureOfRelease tells what a class is that a chart makes which is not at
// hand: by the part of a Ceph cluster's values that names it, or by the chart.
func natureOfRelease(r *desired.Release, class string) nature {
	chart := path.Base(r.ChartName)
	switch {
	case chart == "rook-ceph-cluster":
		for list, is := range map[string]nature{"cephBlockPools": block, "cephFileSystems": filesystem, "cephObjectStores": other} {
			if namesClass(r.Values[list], class) {
				return is
			}
		}
		switch class {
		case "ceph-block":
			return block
		case "ceph-filesystem":
			return filesystem
		}
	case strings.Contains(chart, "nfs"):
		return nfs
	case chart == "ceph-csi-rbd":
		return block
	case chart == "ceph-csi-cephfs":
		return filesystem
	}
	return unknownNature
}

// namesClass reports whether an entry of a list makes a class of that name.
func namesClass(list any, class string) bool {
	entries, _ := list.([]any)
	return slices.ContainsFunc(entries, func(entry any) bool {
		m, _ := entry.(map[string]any)
		own, _ := m["storageClass"].(map[string]any)
		return own["name"] == class
	})
}

// missing tells whether surely nothing makes the class that an object names.
func (s *classes) missing(o *desired.Object, ref graph.Reference) bool {
	return s.Graph.Resolve(o, ref).Missing
}
