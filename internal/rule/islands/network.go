package islands

import (
	"fmt"
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/repo"
	"hearth/internal/rule"
)

var islandNetwork = &rule.Rule{
	Name:     "island-network",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "No cluster uses an address of another cluster's networks",
	Why: "Clusters are separate networks. An address of another cluster, mostly left over from copying a manifest, sends " +
		"traffic to the wrong cluster, or asks a load balancer for an address that it cannot announce. The rule " +
		"speaks only where .hearth.yaml declares the networks of both clusters.",
	Remedy:  "Replace the address by one of the cluster's own networks. Where the clusters do share a network, declare it for both.",
	Section: "Rule 2: Clusters are independent islands",
	Bad: "# .hearth.yaml: main has 10.11.0.0/16, staging has 10.12.0.0/16\n" +
		"# kubernetes/staging/apps/dbms/service.yaml\n" +
		"lbipam.cilium.io/ips: 10.11.1.30\n",
	Good: "# kubernetes/staging/apps/dbms/service.yaml\n" +
		"lbipam.cilium.io/ips: 10.12.1.30\n",
	Check: func(p *rule.Pass) {
		for _, c := range p.Clusters {
			n := newNetworks(p, c)
			if len(n.own) == 0 || len(n.others) == 0 {
				continue
			}
			n.documents()
			n.plainFiles()
			n.shared()
		}
	},
}

// networks are what one cluster may and may not name.
type networks struct {
	*rule.Pass
	cluster *rule.Cluster
	own     []netip.Prefix
	others  []foreignNetwork
}

type foreignNetwork struct {
	netip.Prefix
	cluster string
}

func newNetworks(p *rule.Pass, c *rule.Cluster) *networks {
	n := &networks{Pass: p, cluster: c, own: declared(c.Cluster)}
	for _, other := range p.Repository.Clusters {
		if other == c.Cluster {
			continue
		}
		for _, network := range declared(other) {
			n.others = append(n.others, foreignNetwork{network, other.Name})
		}
	}
	return n
}

// declared returns a cluster's networks; the configuration has checked them.
func declared(c *repo.Cluster) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range c.Config.Networks {
		if network, err := netip.ParsePrefix(text); err == nil {
			list = append(list, network.Masked())
		}
	}
	return list
}

// documents judges the objects that stand in the cluster's folder, whether
// Flux reaches them or not.
func (n *networks) documents() {
	for _, doc := range n.Repository.Documents() {
		if n.Repository.Owner(doc.File) != n.cluster.Cluster {
			continue
		}
		eachScalar(doc.Node, func(key string, node *yaml.Node) {
			n.scalar(key, node.Value, func(line int) domain.Place {
				if node.Style == yaml.LiteralStyle {
					return domain.Place{File: doc.File, Line: node.Line + 1 + line}
				}
				return domain.Place{File: doc.File, Line: node.Line}
			})
		})
	}
}

// scalar judges a value; place tells where one of its lines stands.
func (n *networks) scalar(key, text string, place func(line int) domain.Place) {
	if isVersion(key) || !strings.ContainsAny(text, ".:") {
		return
	}
	i := 0
	for line := range strings.Lines(text) {
		n.line(line, func() domain.Place { return place(i) })
		i++
	}
}

// isVersion reports whether values under a key are versions, which can look
// like addresses.
func isVersion(key string) bool {
	lower := strings.ToLower(key)
	return lower == "tag" || lower == "image" || strings.HasSuffix(lower, "version")
}

// line judges one line of text. Comments say nothing about the cluster.
func (n *networks) line(line string, place func() domain.Place) {
	if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, "//") {
		return
	}
	line, _, _ = strings.Cut(line, " #")
	for _, a := range addresses(line) {
		other, crosses := n.crosses(a.prefix)
		if !crosses {
			continue
		}
		n.Report(rule.Finding{
			Place: place(), Text: a.text,
			Message: fmt.Sprintf("%s belongs to the network %s of cluster %s, not to cluster %s", a.text, other.Prefix, other.cluster, n.cluster.Name),
			Fix:     fmt.Sprintf("use an address of %s", n.own[0]),
		})
	}
}

// crosses returns the network of another cluster that an address or a range is
// in. What is in the cluster's own networks as well is its own.
func (n *networks) crosses(p netip.Prefix) (foreignNetwork, bool) {
	for _, own := range n.own {
		if own.Overlaps(p) {
			return foreignNetwork{}, false
		}
	}
	for _, other := range n.others {
		if other.Bits() <= p.Bits() && other.Contains(p.Addr()) {
			return other, true
		}
	}
	return foreignNetwork{}, false
}
