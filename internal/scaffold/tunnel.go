package scaffold

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// tunnelDomain ends the names of Cloudflare's tunnels.
const tunnelDomain = ".cfargotunnel.com"

// endpoint makes the DNS record that leads to the tunnel: no gateway of the
// cluster is involved, and Cloudflare asks who is there.
func (b *builder) endpoint() (document, error) {
	if !b.isUsed(endpointGroup, "DNSEndpoint") {
		return document{}, b.lacks("--expose vpn", "DNS records from DNSEndpoint objects (external-dns with the source crd)")
	}
	tunnel, err := b.tunnel()
	if err != nil {
		return document{}, err
	}
	host, err := b.host(false)
	if err != nil {
		return document{}, err
	}
	b.note("the tunnel must send %s to http://%s.%s.svc.cluster.local:%d", host, b.Name, b.Namespace, b.Port)
	record := fields("dnsName", host, "recordType", "CNAME", "targets", []string{tunnel})
	object := fields("apiVersion", endpointGroup+"/v1alpha1", "kind", "DNSEndpoint",
		"metadata", fields("name", b.Name), "spec", fields("endpoints", []*yaml.Node{record}))
	return document{object, b.layout.comments["DNSEndpoint"]}, nil
}

// tunnel is the name of the tunnel: as it is given, or the one that the DNS
// records of the cluster lead to.
func (b *builder) tunnel() (string, error) {
	if b.Tunnel != "" {
		if !strings.Contains(b.Tunnel, ".") {
			return b.Tunnel + tunnelDomain, nil
		}
		return b.Tunnel, nil
	}
	var targets tally
	for _, w := range b.documentsOf(endpointGroup, "DNSEndpoint") {
		for _, endpoint := range content(w.at("spec", "endpoints")) {
			for _, target := range content(get(resolve(endpoint), "targets")) {
				if text := resolve(target).Value; strings.HasSuffix(text, tunnelDomain) {
					targets.addText(text, "", "")
				}
			}
		}
	}
	if target := targets.commonestText("", "", ""); target != "" {
		return target, nil
	}
	return "", fmt.Errorf("no DNS record of cluster %s leads to a Cloudflare Tunnel: give its name with --tunnel", b.state.Cluster.Name)
}
