package graph

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"hearth/internal/render/desired"
)

// doubt is something that may make objects nobody knows of.
type doubt struct {
	why string
	// chart is the name of the chart that is not at hand; "" where it is no chart.
	chart string
	// release is what installs it; nil where bootstrap does.
	release *desired.Release
	// namespace is where; "" means everywhere.
	namespace string
	// mentions holds the words that its values mention as kinds of objects.
	mentions map[string]bool
}

// doubts are all of them, and the custom objects whose operator may make
// objects named after them, by namespace.
type doubts struct {
	list   []*doubt
	custom map[string][]*desired.Object
	// within are those of a namespace, together with those of all.
	within map[string][]*doubt
}

func (g *Graph) findDoubts() doubts {
	d := doubts{custom: map[string][]*desired.Object{}, within: map[string][]*doubt{}}
	for _, k := range g.State.Kustomizations {
		if reason := unbuilt(k); reason != "" {
			d.list = append(d.list, &doubt{why: reason, namespace: k.Spec.TargetNamespace})
		}
	}
	installed := map[domainName]bool{}
	for _, r := range g.State.Releases {
		installed[domainName{r.ReleaseNamespace, r.ReleaseName}] = true
		if reason := notRendered(r); reason != "" {
			d.list = append(d.list, &doubt{
				why: reason, chart: cmp.Or(chartName(r), "?"), release: r, namespace: r.ReleaseNamespace,
				mentions: kindsMentioned(field{value: map[string]any(r.Values)}, maxDepth, map[string]bool{}),
			})
		}
	}
	if c := g.State.Cluster; c != nil {
		for _, r := range c.Bootstrap.Releases {
			if !r.CRDsOnly && !installed[domainName{r.Namespace, r.Name}] {
				why := fmt.Sprintf("bootstrap installs the chart %s as %s/%s", path.Base(r.Chart), r.Namespace, r.Name)
				d.list = append(d.list, &doubt{why: why, chart: path.Base(r.Chart), namespace: r.Namespace})
			}
		}
	}
	for _, o := range g.objects {
		d.note(o)
	}
	for _, one := range d.list {
		d.within[one.namespace] = append(d.within[one.namespace], one)
	}
	return d
}

// in returns those that may make objects in a namespace, or without one.
func (d doubts) in(namespace string) []*doubt {
	if namespace == "" {
		return d.list
	}
	return slices.Concat(d.within[namespace], d.within[""])
}

// unbuilt says why it is not known what a Kustomization applies.
func unbuilt(k *desired.Kustomization) string {
	name := k.Namespace + "/" + k.Name
	switch {
	case k.Foreign:
		return "Kustomization " + name + " applies what is not in this repository"
	case k.Err != nil:
		return "Kustomization " + name + " cannot be built"
	}
	return ""
}

// notRendered says why it is not known what a release makes.
func notRendered(r *desired.Release) string {
	name := "HelmRelease " + r.Namespace + "/" + r.Name
	switch {
	case isFaithful(r):
		return ""
	case r.Err != nil:
		return name + " cannot be rendered"
	}
	return fmt.Sprintf("the chart %s of %s is not at hand", cmp.Or(chartName(r), "?"), name)
}

// note adds what an object may make by rules that are not followed here, or
// keeps it as one that an unknown operator acts on.
func (d *doubts) note(o *desired.Object) {
	k, spec := kindOf(o), (field{value: o.Object}).at("spec")
	switch {
	case k == kind{operatorGroup, "ResourceSet"}:
		d.list = append(d.list, &doubt{why: "ResourceSet " + o.Ref.Namespace + "/" + o.Ref.Name + " makes objects from templates"})
	case k.group == "kyverno.io":
		for rule := range spec.at("rules").items() {
			if rule.at("generate").exists() {
				d.list = append(d.list, &doubt{why: "the policy " + o.Ref.Name + " of Kyverno generates objects"})
				return
			}
		}
	case k.group == "argoproj.io" && strings.HasPrefix(k.name, "Application"):
		d.list = append(d.list, &doubt{why: k.name + " " + o.Ref.Name + " applies what is not in this repository"})
	case isCustom(k.group) && !isUnderstood(k):
		d.custom[o.GetNamespace()] = append(d.custom[o.GetNamespace()], o)
	}
}

// understoodGroups are groups of which it is known what their kinds make: what
// the makers say, and nothing besides.
var understoodGroups = map[string]bool{
	sourceGroup: true, kustomizeGroup: true, helmGroup: true, notificationGroup: true, imageGroup: true, operatorGroup: true,
	externalSecretsGroup: true, generatorsGroup: true, certManagerGroup: true, "acme.cert-manager.io": true,
	gatewayGroup: true, envoyGroup: true, "gateway.networking.x-k8s.io": true,
	postgresGroup: true, barmanGroup: true, monitoringGroup: true, volsyncGroup: true, kedaGroup: true,
	"snapshot.storage.k8s.io": true, "objectbucket.io": true, "cilium.io": true, "k8s.cni.cncf.io": true,
	"nfd.k8s-sigs.io": true, "externaldns.k8s.io": true, "metallb.io": true, "bitnami.com": true, "tuppr.home-operations.com": true,
	"upgrade.cattle.io": true, "autoscaling.k8s.io": true, "talos.dev": true,
}

func isUnderstood(k kind) bool {
	return understoodGroups[k.group] || makers[k] != nil && k.group != mariadbGroup
}

// kindsMentioned collects what values give as the kind of an object, so that a
// chart which takes objects from its values is known to make some.
func kindsMentioned(f field, depth int, found map[string]bool) map[string]bool {
	if depth == 0 {
		return found
	}
	if kind := f.at("kind").text(); kind != "" {
		found[kind] = true
	}
	if text, ok := f.value.(string); ok && strings.Contains(text, "kind:") {
		for _, m := range kindInText.FindAllStringSubmatch(text, -1) {
			found[m[1]] = true
		}
	}
	for item := range f.items() {
		kindsMentioned(item, depth-1, found)
	}
	for _, value := range f.entries() {
		kindsMentioned(value, depth-1, found)
	}
	return found
}

var kindInText = regexp.MustCompile(`(?m)^\s*(?:- )?kind:\s*["']?([A-Za-z]+)`)

// Doubt tells why nobody can say that an object of a kind does not exist in a
// namespace: a chart that is not at hand, or a folder that cannot be built, may
// make it. Namespace is "" for cluster-scoped kinds. Where the name is known,
// [Graph.DoubtAbout] tells more.
func (g *Graph) Doubt(kind, namespace string) (why string, doubt bool) {
	for _, d := range g.doubts.in(namespace) {
		if d.mayMake(kind) {
			return d.why, true
		}
	}
	return "", false
}

// mayMake reports whether it may make an object of a kind.
func (d *doubt) mayMake(kind string) bool {
	if d.chart == "" || d.mentions[kind] {
		return true
	}
	if kind == storageClassKind.name && classesKnown[d.chart] {
		return false
	}
	if pattern, ok := chartsThatMake[kind]; ok {
		return pattern.MatchString(d.chart)
	}
	return true
}

// classesKnown are charts whose storage classes are those that [chartProducts]
// lists, or that have none.
var classesKnown = map[string]bool{
	"rook-ceph-cluster": true, "rook-ceph": true, "ceph-csi-drivers": true, "ceph-csi-operator": true,
	"longhorn": true, "openebs": true, "localpv-provisioner": true, "local-path-provisioner": true,
	"nfs-subdir-external-provisioner": true, "csi-driver-nfs": true, "csi-driver-smb": true,
	"snapshot-controller": true, "minio": true, "secrets-store-csi-driver": true, "cert-manager-csi-driver": true,
}

// nothing matches no chart.
var nothing = regexp.MustCompile(`^\b$`)

// chartsThatMake bounds, for kinds that few charts make, which charts may do
// so by their name. A chart makes the others, too, where its values say so.
var chartsThatMake = map[string]*regexp.Regexp{
	"StorageClass": regexp.MustCompile(`csi|nfs|storage|ceph|longhorn|openebs|provisioner|local|piraeus|linstor|topolvm|` +
		`seaweed|juicefs|s3|volume|disk|zfs|lvm|iscsi|synology|truenas|mayastor|smb|garage|minio|gluster|portworx|trident|hostpath`),
	"VolumeSnapshotClass": regexp.MustCompile(`csi|snapshot|ceph|longhorn|openebs|piraeus|linstor|topolvm|zfs|lvm|storage|truenas|synology`),
	"GatewayClass":        regexp.MustCompile(`gateway|cilium|istio|traefik|kong|nginx|envoy|contour|haproxy|linkerd|kuma|consul`),
	"IngressClass":        regexp.MustCompile(`ingress|traefik|nginx|haproxy|cilium|kong|contour|istio|tailscale|cloudflare|caddy|pomerium`),
	"RuntimeClass":        regexp.MustCompile(`nvidia|gpu|kata|gvisor|spin|wasm|runtime|sysbox`),
	"DeviceClass":         regexp.MustCompile(`dra|device|gpu|nvidia|intel|amd`),
	"Namespace":           nothing,
	"Kustomization":       regexp.MustCompile(`flux`),
	"HelmRelease":         regexp.MustCompile(`flux|capi|cluster`),
	"GitRepository":       regexp.MustCompile(`flux`),
	"OCIRepository":       regexp.MustCompile(`flux`),
	"HelmRepository":      regexp.MustCompile(`flux`),
	"Bucket":              regexp.MustCompile(`flux`),
	"ClusterSecretStore":  regexp.MustCompile(`external-secrets-|secret-?store|onepassword|vault`),
	"SecretStore":         regexp.MustCompile(`external-secrets-|secret-?store|onepassword|vault`),
	"ClusterIssuer":       regexp.MustCompile(`issuer|cert-manager-|step|trust`),
	"Issuer":              regexp.MustCompile(`issuer|step|operator|webhook`),
	"Gateway":             regexp.MustCompile(`gateway|istio|traefik|kong|ingress|envoy`),
	"PersistentVolume":    regexp.MustCompile(`csi|nfs|storage|volume|media`),
}

// DoubtAbout is Doubt with the name known: besides, an operator that this
// package does not know may make an object that is named after one of its own,
// or that its own names.
func (g *Graph) DoubtAbout(kind, namespace, name string) (why string, doubt bool) {
	d, doubt := g.doubtAbout(kind, namespace, name)
	return d.why, doubt
}

func (g *Graph) doubtAbout(kind, namespace, name string) (doubt, bool) {
	if g.State.Unknown(name) || g.State.Unknown(namespace) || strings.Contains(name, "${") || strings.Contains(name, "{{") {
		return doubt{why: "the name is only known at run time"}, true
	}
	if kind == definitionKind.name {
		return g.definitionDoubt(name)
	}
	var found *doubt
	for _, d := range g.doubts.in(namespace) {
		if !d.mayMake(kind) {
			continue
		}
		if d.isAbout(name) {
			return *d, true
		}
		if found == nil {
			found = d
		}
	}
	if found != nil {
		return *found, true
	}
	if kind == storageClassKind.name && name == "local-path" {
		return doubt{why: "some distributions of Kubernetes bring the class local-path"}, true
	}
	for _, at := range slices.Compact([]string{namespace, ""}) {
		for _, o := range g.doubts.custom[at] {
			if o.GetKind() != kind && (isNamedAfter(name, o.GetName()) || mentions(field{value: o.Object}.at("spec"), name, maxDepth)) {
				return doubt{why: fmt.Sprintf("the operator of %s may make it", o.Ref)}, true
			}
		}
	}
	return doubt{}, false
}

// isAbout reports whether an object is named after the release or the chart.
func (d *doubt) isAbout(name string) bool {
	return d.release != nil && (isNamedAfter(name, d.release.ReleaseName) || isNamedAfter(name, stemOf(d.chart)))
}

// definitionDoubt knows who is likely to bring a definition, whose name ends in
// its group.
func (g *Graph) definitionDoubt(name string) (doubt, bool) {
	_, group, _ := strings.Cut(name, ".")
	for _, b := range g.bringsGroup(group) {
		return doubt{why: "the chart that brings kinds of " + group + " is not at hand", release: b.Release}, true
	}
	if len(g.doubts.list) > 0 {
		return *g.doubts.list[0], true
	}
	return doubt{}, false
}

// isNamedAfter reports whether a name is another one with something before or
// after it.
func isNamedAfter(name, other string) bool {
	return name == other || strings.HasPrefix(name, other+"-") || strings.HasSuffix(name, "-"+other) || strings.Contains(name, "-"+other+"-")
}

// mentions reports whether a field holds a text.
func mentions(f field, text string, depth int) bool {
	if depth == 0 {
		return false
	}
	if f.text() == text {
		return true
	}
	for item := range f.items() {
		if mentions(item, text, depth-1) {
			return true
		}
	}
	for _, value := range f.entries() {
		if mentions(value, text, depth-1) {
			return true
		}
	}
	return false
}
