package settings

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"hearth/internal/engine/dns/annotation"
	"hearth/internal/engine/dns/plan"
	"hearth/internal/engine/dns/record"
)

// reader is what a flag does with its values, in the order in which they were given.
type reader func(s *Settings, values []string) error

// flags are those that concern records.
var flags = map[string]reader{
	"provider":          word(func(s *Settings) *string { return &s.Provider }),
	"source":            words(func(s *Settings) *[]string { return &s.Sources }),
	"registry":          readRegistry,
	"policy":            readPolicy,
	"txt-owner-id":      word(func(s *Settings) *string { return &s.OwnerID }),
	"txt-prefix":        word(func(s *Settings) *string { return &s.Affix.Prefix }),
	"txt-suffix":        word(func(s *Settings) *string { return &s.Affix.Suffix }),
	"namespace":         word(func(s *Settings) *string { return &s.Namespace }),
	"gateway-name":      word(func(s *Settings) *string { return &s.GatewayName }),
	"gateway-namespace": word(func(s *Settings) *string { return &s.GatewayNamespace }),
	"annotation-prefix": word(func(s *Settings) *string { return &s.AnnotationPrefix }),
	"ingress-class":     words(func(s *Settings) *[]string { return &s.IngressClasses }),
	"default-targets":   words(func(s *Settings) *[]string { return &s.DefaultTargets }),
	"domain-filter":     domains(func(s *Settings) *[]string { return &s.Domains }),
	"exclude-domains":   domains(func(s *Settings) *[]string { return &s.ExcludedDomains }),
	"label-filter":      selector(func(s *Settings) *labels.Selector { return &s.Labels }),
	"annotation-filter": selector(func(s *Settings) *labels.Selector { return &s.Annotations }),
	"interval":          duration(func(s *Settings) *time.Duration { return &s.Interval }),

	"managed-record-types":     words(func(s *Settings) *[]string { return &s.Types }),
	"exclude-record-types":     excludeTypes,
	"service-type-filter":      words(func(s *Settings) *[]string { return &s.ServiceTypes }),
	"gateway-label-filter":     selector(func(s *Settings) *labels.Selector { return &s.GatewayLabels }),
	"regex-domain-filter":      pattern(func(s *Settings) **regexp.Regexp { return &s.DomainPattern }),
	"regex-domain-exclusion":   pattern(func(s *Settings) **regexp.Regexp { return &s.ExcludedPattern }),
	"txt-wildcard-replacement": word(func(s *Settings) *string { return &s.Affix.Wildcard }),
	"min-ttl":                  readMinTTL,
}

// toggles are the flags without a value that concern records.
var toggles = map[string]func(*Settings) *bool{
	"dry-run":                    func(s *Settings) *bool { return &s.DryRun },
	"once":                       func(s *Settings) *bool { return &s.Once },
	"cloudflare-proxied":         func(s *Settings) *bool { return &s.CloudflareProxied },
	"publish-internal-services":  func(s *Settings) *bool { return &s.PublishInternal },
	"publish-host-ip":            func(s *Settings) *bool { return &s.PublishHostIP },
	"ignore-hostname-annotation": func(s *Settings) *bool { return &s.IgnoreHostnames },
	"force-default-targets":      func(s *Settings) *bool { return &s.ForceTargets },
}

// switches are flags without a value that do not concern records; whatever
// follows them is an argument of its own.
var switches = []string{
	"events", "listen-endpoint-events", "resolve-service-load-balancer-hostname", "exclude-unschedulable", "expose-internal-ipv6",
	"cloudflare-custom-hostnames", "cloudflare-regional-services", "enable-legacy-annotation-prefix", "version", "help",
	"ignore-ingress-rules-spec", "ignore-ingress-tls-spec", "ignore-non-host-network-pods", "combine-fqdn-annotation",
	"always-publish-not-ready-addresses", "txt-encrypt-enabled", "txt-new-format-only", "create-ptr", "prefer-alias", "gateway-listener-sets",
	"webhook-server", "traefik-enable-legacy", "traefik-disable-legacy", "traefik-disable-new", "aws-prefer-cname", "aws-evaluate-target-health",
	"aws-zone-match-parent", "rfc2136-axfr", "rfc2136-insecure", "rfc2136-create-ptr", "pihole-tls-skip-verify", "tls-skip-verify",
}

// unplayed are flags that would change records, and have no effect here.
var unplayed = []string{
	"fqdn-template", "combine-fqdn-annotation", "target-template", "fqdn-target-template", "target-net-filter", "exclude-target-net",
	"txt-encrypt-enabled", "create-ptr", "nat64-networks", "compatibility", "migrate-from-txt-owner", "gateway-listener-sets",
	"ignore-ingress-rules-spec", "ignore-ingress-tls-spec", "always-publish-not-ready-addresses", "resolve-service-load-balancer-hostname",
	"cloudflare-custom-hostnames", "cloudflare-regional-services", "cloudflare-region-key", "cloudflare-record-comment", "provider-cache-time",
	"zone-id-filter", "zone-name-filter",
}

func takesValue(name string) bool { return toggles[name] == nil && !slices.Contains(switches, name) }

// readerOf returns what a flag does, or nil where it does not concern records.
func readerOf(name string) reader {
	if at := toggles[name]; at != nil {
		return yes(at)
	}
	return flags[name]
}

func word(at func(*Settings) *string) reader {
	return func(s *Settings, values []string) error {
		*at(s) = values[len(values)-1]
		return nil
	}
}

func words(at func(*Settings) *[]string) reader {
	return func(s *Settings, values []string) error {
		*at(s) = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
		return nil
	}
}

// domains reads names that may be separated by commas, too.
func domains(at func(*Settings) *[]string) reader {
	return func(s *Settings, values []string) error {
		*at(s) = nil
		for v := range strings.SplitSeq(strings.Join(values, ","), ",") {
			if v = record.Canonical(v); v != "" {
				*at(s) = append(*at(s), v)
			}
		}
		return nil
	}
}

func yes(at func(*Settings) *bool) reader {
	return func(s *Settings, values []string) error {
		switch v := values[len(values)-1]; v {
		case "true", "false":
			*at(s) = v == "true"
			return nil
		default:
			return fmt.Errorf("%q is neither true nor false", v)
		}
	}
}

func selector(at func(*Settings) *labels.Selector) reader {
	return func(s *Settings, values []string) (err error) {
		*at(s), err = labels.Parse(values[len(values)-1])
		return err
	}
}

func pattern(at func(*Settings) **regexp.Regexp) reader {
	return func(s *Settings, values []string) (err error) {
		if v := values[len(values)-1]; v != "" {
			*at(s), err = regexp.Compile(v)
		}
		return err
	}
}

// minInterval bounds how often all is compared.
const minInterval = time.Second

func duration(at func(*Settings) *time.Duration) reader {
	return func(s *Settings, values []string) error {
		d, err := time.ParseDuration(values[len(values)-1])
		if err != nil {
			return err
		}
		*at(s) = max(d, minInterval)
		return nil
	}
}

func readMinTTL(s *Settings, values []string) (err error) {
	s.MinTTL, err = annotation.ParseTTL(values[len(values)-1])
	s.MinTTL = max(s.MinTTL, 0)
	return err
}

func readPolicy(s *Settings, values []string) (err error) {
	if v := values[len(values)-1]; v != "" {
		s.Policy, err = plan.ParsePolicy(v)
	}
	return err
}

func readRegistry(s *Settings, values []string) error {
	switch v := values[len(values)-1]; v {
	case "txt", "noop":
		s.Registry = v
		return nil
	default:
		return fmt.Errorf("the registry %q is not played: use txt or noop", v)
	}
}

func excludeTypes(s *Settings, values []string) error {
	s.Types = slices.DeleteFunc(slices.Clone(s.Types), func(t string) bool { return slices.Contains(values, t) })
	return nil
}
