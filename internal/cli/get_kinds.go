package cli

import (
	"fmt"
	"slices"
	"strings"

	"hearth/internal/observe"
)

// kindOfView is a kind that is shown, as the domain names it: its section's
// title, and the names that it goes by.
type kindOfView struct {
	kind, title string
	names       []string
}

// viewKinds are the kinds in the order in which they are shown: from Git to
// the container.
var viewKinds = []kindOfView{
	{"Kustomization", "Kustomizations", []string{"kustomizations", "kustomization", "ks"}},
	{"HelmRelease", "HelmReleases", []string{"helmreleases", "helmrelease", "hr"}},
	{"ExternalSecret", "ExternalSecrets", []string{"externalsecrets", "externalsecret", "es"}},
	{"Pod", "Pods", []string{"pods", "pod", "po"}},
	{"HTTPRoute", "HTTPRoutes", []string{"httproutes", "httproute", "routes", "route"}},
}

// furtherViewKinds are shown to who asks for them.
var furtherViewKinds = []kindOfView{
	{"Source", "Sources", []string{"sources", "source", "src"}},
	{"Gateway", "Gateways", []string{"gateways", "gateway", "gw", "gtw"}},
	{"PersistentVolumeClaim", "PersistentVolumeClaims", []string{"persistentvolumeclaims", "persistentvolumeclaim", "pvcs", "pvc"}},
	{"Certificate", "Certificates", []string{"certificates", "certificate", "certs", "cert"}},
	{"Database", "Databases", []string{"databases", "database", "dbs", "db", "clusters", "cluster"}},
	{"Node", "Nodes", []string{"nodes", "node", "no"}},
}

var allViewKinds = slices.Concat(viewKinds, furtherViewKinds)

// furtherView reports whether a kind is shown to who asks for it only.
func furtherView(k kindOfView) bool {
	return slices.ContainsFunc(furtherViewKinds, func(f kindOfView) bool { return f.kind == k.kind })
}

// parseKinds reads "all", "everything", a kind, or several joined by commas.
func parseKinds(s string) ([]kindOfView, error) {
	var kinds []kindOfView
	for _, name := range strings.Split(strings.ToLower(s), ",") {
		switch name {
		case "all":
			return viewKinds, nil
		case "everything":
			return allViewKinds, nil
		}
		i := slices.IndexFunc(allViewKinds, func(k kindOfView) bool { return slices.Contains(k.names, name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no kind %q to show: name all, kustomizations (ks), helmreleases (hr), externalsecrets (es), pods (po), httproutes (route), sources (src), gateways (gw), pvc, certificates (cert), databases (db), nodes (no), or everything", name)
		}
		kinds = append(kinds, allViewKinds[i])
	}
	return kinds, nil
}

// kindShown reports whether a kind of objects is among those shown.
func kindShown(kinds []kindOfView, kind string) bool {
	return slices.ContainsFunc(kinds, func(k kindOfView) bool { return k.kind == observe.DomainKind(kind) })
}
