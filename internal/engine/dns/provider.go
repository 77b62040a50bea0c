package dns

import (
	"context"
	"path"
	"strings"

	"hearth/internal/engine/dns/cloudflare"
	"hearth/internal/engine/dns/plan"
	"hearth/internal/engine/dns/record"
	"hearth/internal/engine/dns/server"
	"hearth/internal/engine/dns/settings"
)

// Provider keeps records. Its methods are not called concurrently for one
// instance.
type Provider interface {
	// Records returns all records that it has.
	Records(ctx context.Context) ([]record.Record, error)
	// Adjust brings wanted records to the form in which it keeps them, so that
	// those it has already compare equal.
	Adjust(wanted []record.Record) []record.Record
	// Apply carries groups of changes out in their order. An error may come
	// after some of them; Records tells which.
	Apply(ctx context.Context, groups []plan.Group) error
}

// providerCloudflare and providerWebhook are names of --provider.
const (
	providerCloudflare = "cloudflare"
	providerWebhook    = "webhook"
)

// played is a provider's account at the embedded server.
type played struct {
	*server.Account
	settings settings.Settings
}

// Adjust does what the provider that is played would do.
func (p played) Adjust(wanted []record.Record) []record.Record {
	if p.settings.Provider == providerCloudflare {
		return cloudflare.Adjust(wanted, p.settings.CloudflareProxied)
	}
	adjusted := make([]record.Record, 0, len(wanted))
	for _, r := range wanted {
		r.Properties = nil // they are other providers'
		adjusted = append(adjusted, r)
	}
	return adjusted
}

// atHome are the providers that only those at home ask; of a webhook, what its
// image's name tells of.
var atHome = []string{
	"adguard", "bind", "coredns", "dnsmasq", "home", "inmemory", "k8s-gateway", "mikrotik", "openwrt", "opnsense", "pdns", "pfsense",
	"pihole", "powerdns", "rfc2136", "skydns", "synology", "technitium", "unbound", "unifi",
}

// accountName tells one provider's account from another's: by the provider, or
// by the image of the webhook that speaks to it.
func accountName(s settings.Settings, webhookImage string) (name string, inside bool) {
	name = s.Provider
	if name == providerWebhook {
		name = cleanImage(webhookImage)
	}
	for _, one := range atHome {
		if strings.Contains(name, one) {
			inside = true
		}
	}
	return name, inside
}

// cleanImage returns what a webhook's image is for: "unifi" of
// "ghcr.io/x/external-dns-unifi-webhook:1.0".
func cleanImage(image string) string {
	name := imageName(image)
	for _, part := range []string{"external-dns-", "externaldns-", "provider-"} {
		name = strings.TrimPrefix(name, part)
	}
	for _, part := range []string{"-webhook", "-provider", "-external-dns"} {
		name = strings.TrimSuffix(name, part)
	}
	if name == "" {
		return providerWebhook
	}
	return name
}

// imageName returns the last part of an image's repository.
func imageName(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name := path.Base(image)
	name, _, _ = strings.Cut(name, ":")
	return strings.TrimSuffix(name, ".")
}
