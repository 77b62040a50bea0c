// Package draw shows what depends on what: as text, as diagrams in the
// languages of Mermaid and Graphviz, as JSON, and as an SVG picture.
//
// Everything it writes is in a fixed order, so that it can be kept and
// compared, and escapes what names may hold. Which nodes are shown is the
// caller's choice; see [graph.Network.Overview] and [graph.Network.Part].
package draw

import (
	"fmt"
	"strings"

	"hearth/internal/graph"
)

// label returns the two lines by which a node is shown.
func label(n *graph.Node) (kind, name string) {
	name = n.Ref.Name
	if n.Ref.Namespace != "" {
		name = n.Ref.Namespace + "/" + name
	}
	return n.Ref.Kind, short(name)
}

// maxLabel bounds how much of a name a picture shows.
const maxLabel = 56

// short leaves the digest of an image out, and the middle of a long name.
func short(name string) string {
	if at := strings.Index(name, "@sha256:"); at > 0 {
		name = name[:at]
	}
	runes := []rune(name)
	if len(runes) <= maxLabel {
		return name
	}
	return string(runes[:maxLabel/2]) + "…" + string(runes[len(runes)-maxLabel/2+1:])
}

// tooltip tells what there is to know about a node.
func tooltip(n *graph.Node) string {
	text := n.Ref.String()
	if place := n.Place(); place.Known() {
		text += " at " + place.String()
	}
	switch {
	case n.Missing:
		text += ": nothing makes it"
	case n.Doubt != "":
		text += ": " + n.Doubt
	}
	return text
}

// titles are how the classes are called in a text, and their order.
var titles = []struct {
	class     graph.Class
	one, many string
}{
	{graph.ClassKustomization, "Kustomization", "Kustomizations"},
	{graph.ClassRelease, "HelmRelease", "HelmReleases"},
	{graph.ClassWorkload, "workload", "workloads"},
	{graph.ClassSource, "source", "sources"},
	{graph.ClassChart, "chart", "charts"},
	{graph.ClassImage, "image", "images"},
	{graph.ClassExternalSecret, "ExternalSecret", "ExternalSecrets"},
	{graph.ClassStore, "store", "stores"},
	{graph.ClassItem, "item", "items"},
	{graph.ClassSecret, "Secret", "Secrets"},
	{graph.ClassCertificate, "certificate", "certificates"},
	{graph.ClassDatabase, "database", "databases"},
	{graph.ClassRoute, "route", "routes"},
	{graph.ClassGateway, "gateway", "gateways"},
	{graph.ClassStorage, "storage object", "storage objects"},
	{graph.ClassService, "Service", "Services"},
	{graph.ClassOther, "other object", "other objects"},
}

// summary counts the nodes by class.
func summary(n *graph.Network) string {
	counts := map[graph.Class]int{}
	missing := 0
	for _, node := range n.Nodes {
		counts[node.Class]++
		if node.Missing {
			missing++
		}
	}
	var parts []string
	for _, t := range titles {
		switch c := counts[t.class]; c {
		case 0:
		case 1:
			parts = append(parts, "1 "+t.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", c, t.many))
		}
	}
	if missing > 0 {
		parts = append(parts, fmt.Sprintf("%d of them missing", missing))
	}
	return strings.Join(parts, ", ")
}
