package storage

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
	"hearth/internal/spelling"
)

var storageClass = &rule.Rule{
	Name:     "storage-class",
	Topic:    "storage",
	Severity: rule.Error,
	Title:    "Storage classes exist and fit what is stored: databases on block storage, large media on NFS, caches in an emptyDir",
	Why: "A claim whose class nobody provides stays Pending, and its pods with it; so does a claim that many nodes are to mount " +
		"on a class of block storage, which one node at a time can. A database on NFS or a shared filesystem is slow, and its " +
		"locks and flushes may not be what it counts on. Large media fill the fast, replicated disks; small caches on them are " +
		"replicated and backed up for nothing.",
	Remedy: "Databases and configuration go to the class of block storage, what several pods write to the shared filesystem, large " +
		"media to an NFS mount, caches and scratch space to an emptyDir. What each class is for is set by storageClasses in " +
		".hearth.yaml.",
	Section: "Capsule: StorageClassSelection",
	Bad: `kind: Cluster # of CloudNativePG
spec:
  storage:
    storageClass: rook-ceph-filesystem
`,
	Good: `kind: Cluster # of CloudNativePG
spec:
  storage:
    storageClass: rook-ceph-block
`,
	Check: func(p *rule.Pass) {
		var all []*classes
		for _, c := range p.Clusters {
			s := newClasses(c, p.Config)
			s.check(p)
			all = append(all, s)
		}
		checkDeclarations(p, all)
	},
}

// check judges everything in a cluster that asks for storage.
func (s *classes) check(p *rule.Pass) {
	databases := s.databaseClaims()
	for o := range s.State.All() {
		if s.State.Same(o)[0] != o {
			continue // of one name, one is enough
		}
		claims := claimsOf(o)
		s.checkProvided(p, o, claims)
		s.checkDatabase(p, o)
		for _, c := range claims {
			if c.isStatic() {
				continue
			}
			s.checkShared(p, c)
			if !databases[claimName{o.GetNamespace(), c.name}] {
				s.checkLarge(p, c)
				s.checkCache(p, c)
			}
		}
	}
}

// checkProvided reports classes that nothing makes. Where the tree makes none
// at all it is something else that does.
func (s *classes) checkProvided(p *rule.Pass, o *desired.Object, claims []*claim) {
	for _, ref := range classesNamed(o) {
		if ref.Optional || !s.missing(o, ref) {
			continue
		}
		have := s.provided()
		if len(have) == 0 {
			p.Note("no storage class stands in the tree of cluster " + s.Name + ": whether those that claims name exist cannot be told")
			return
		}
		finding := rule.Finding{
			Place: o.Place(ref.Path...), Text: ref.Name, Object: o.Ref,
			Message: fmt.Sprintf("nothing provides the storage class %s: the volume would never be made, and whatever needs it never start", ref.Name),
			Fix:     "write one of " + strings.Join(have, ", "),
		}
		if meant, ok := spelling.Nearest(ref.Name, have); ok {
			finding.Fix = "write " + meant
		}
		for _, c := range claims {
			if slices.Equal(ref.Path[:len(ref.Path)-1], c.path) {
				finding.Place, finding.Text = c.place("storageClassName")
			}
		}
		p.Report(finding)
	}
}

// unstored are groups whose objects ask for no storage.
var unstored = map[string]bool{
	"helm.toolkit.fluxcd.io": true, "kustomize.toolkit.fluxcd.io": true, "source.toolkit.fluxcd.io": true,
	"external-secrets.io": true, "apiextensions.k8s.io": true, "rbac.authorization.k8s.io": true, gatewayGroup: true,
}

const gatewayGroup = "gateway.networking.k8s.io"

// classesNamed lists the storage classes that an object names.
func classesNamed(o *desired.Object) []graph.Reference {
	switch gvk := o.GroupVersionKind(); {
	case unstored[gvk.Group]:
		return nil
	case gvk.Group == "" && gvk.Kind != "PersistentVolumeClaim" && gvk.Kind != "Pod":
		return nil
	}
	return slices.DeleteFunc(graph.References(o), func(ref graph.Reference) bool {
		return ref.Group != storageGroup || ref.Kind != "StorageClass"
	})
}

// provided lists the classes that the tree makes, and those that its charts are
// known to.
func (s *classes) provided() []string {
	if s.names == nil {
		s.names = s.provide()
	}
	return s.names
}

func (s *classes) provide() []string {
	names := map[string]bool{}
	for _, o := range s.State.OfKind(storageGroup, "StorageClass") {
		names[o.GetName()] = true
	}
	for o := range s.State.All() {
		for _, ref := range classesNamed(o) {
			if by, _ := s.Graph.Provider(storageGroup, "StorageClass", "", ref.Name); by != nil && by.GetKind() != "PersistentVolume" {
				names[ref.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// checkShared reports claims that many nodes are to mount, on block storage.
// Devices that are handed on as they are can be shared.
func (s *classes) checkShared(p *rule.Pass, c *claim) {
	mode, i := c.mode()
	if mode == "" || c.spec.VolumeMode != nil && *c.spec.VolumeMode != "Filesystem" {
		return
	}
	class := s.classOf(c)
	place, text := c.place("accessModes", strconv.Itoa(i))
	finding := rule.Finding{Place: place, Text: text, Object: c.object.Ref}
	switch {
	case s.nature(class) == block:
		finding.Message = fmt.Sprintf("the class %s is block storage, which one node at a time can mount: the claim would stay Pending", class)
		finding.Fix = s.suggest(domain.SharedStorage, "write ReadWriteOnce", "or take the class %s")
	case s.config.Declared("storageClasses", class) && !s.isFor(class, domain.SharedStorage):
		finding.Severity = rule.Warning
		finding.Message = fmt.Sprintf("many nodes are to mount the volume, and .hearth.yaml has the class %s for %s only", class, strings.Join(s.uses(class), ", "))
		finding.Fix = s.suggest(domain.SharedStorage, "", "take the class %s")
	default:
		return
	}
	p.Report(finding)
}

// classOf returns the class of a claim: its own, or that of the cluster.
func (s *classes) classOf(c *claim) string {
	if c.spec.StorageClassName == nil {
		return s.standard
	}
	return c.class()
}

// suggest names a class of the tree that is for a use.
func (s *classes) suggest(use domain.StorageUse, otherwise, format string) string {
	for _, class := range s.provided() {
		if slices.Contains(s.uses(class), string(use)) {
			return strings.TrimSpace(otherwise + " " + fmt.Sprintf(format, class))
		}
	}
	return otherwise
}

// largeMedia is the size from which on storage is large for a homelab.
var largeMedia = resource.MustParse("500Gi")

// checkLarge tells of large volumes on block storage.
func (s *classes) checkLarge(p *rule.Pass, c *claim) {
	class, size := s.classOf(c), c.size()
	if c.object.GetKind() != "PersistentVolumeClaim" || size.Cmp(largeMedia) < 0 || s.nature(class) != block || len(s.uses(class)) > 0 && s.isFor(class, domain.LargeMediaStorage) {
		return
	}
	place, text := c.place("resources", "requests", "storage")
	p.Report(rule.Finding{
		Severity: rule.Info, Place: place, Text: text, Object: c.object.Ref,
		Message: fmt.Sprintf("%s on the class %s fill fast, replicated disks: media of that size belong on NFS", size.String(), class),
	})
}

// smallCache is what fits an emptyDir; larger caches may well be kept.
var smallCache = resource.MustParse("5Gi")

// checkCache tells of caches and scratch space on replicated storage.
func (s *classes) checkCache(p *rule.Pass, c *claim) {
	class, size := s.classOf(c), c.size()
	if !isScratch(c.key()) || size.Cmp(smallCache) > 0 || len(c.path) > 2 || len(s.uses(class)) > 0 && s.isFor(class, domain.CacheStorage) {
		return
	}
	if n := s.nature(class); n != block && n != filesystem {
		return
	}
	place, text := c.place("storageClassName")
	p.Report(rule.Finding{
		Severity: rule.Info, Place: place, Text: text, Object: c.object.Ref,
		Message: fmt.Sprintf("the class %s keeps and replicates what can be made again: %s of cache or scratch space fit an emptyDir", class, size.String()),
	})
}

// isScratch reports whether a claim's name says that it holds a cache or what
// is not to be kept.
func isScratch(name string) bool {
	switch name[strings.LastIndex(name, "-")+1:] {
	case "cache", "tmp", "temp", "transcode", "transcodes", "transcoding", "scratch":
		return true
	}
	return false
}
