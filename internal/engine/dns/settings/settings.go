// Package settings reads how an External-DNS is run: from its arguments and
// environment as its documentation lists them (docs/flags.md), or from the
// values of its chart where the arguments are not known.
//
// Flags that do not concern records are skipped; those that would change them,
// but have no counterpart here, are named in Unplayed.
package settings

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"hearth/internal/engine/dns/plan"
	"hearth/internal/engine/dns/record"
	"hearth/internal/engine/dns/registry"
)

// Settings are how one instance works.
type Settings struct {
	Provider string
	Sources  []string
	Policy   plan.Policy
	// Registry is "txt" or "noop".
	Registry string
	OwnerID  string
	Affix    registry.Affix
	// Types are the types of records that are managed.
	Types []string

	Domains         []string // domain suffixes; none is all
	ExcludedDomains []string
	DomainPattern   *regexp.Regexp // instead of Domains
	ExcludedPattern *regexp.Regexp

	Namespace         string // "" is all
	Labels            labels.Selector
	Annotations       labels.Selector
	AnnotationPrefix  string // "" is both that there have been
	GatewayName       string
	GatewayNamespace  string
	GatewayLabels     labels.Selector
	IngressClasses    []string
	ServiceTypes      []string
	PublishInternal   bool
	PublishHostIP     bool
	IgnoreHostnames   bool
	DefaultTargets    []string
	ForceTargets      bool
	CloudflareProxied bool
	MinTTL            int64 // seconds

	// Interval is how often all is compared, whatever happens.
	Interval time.Duration
	DryRun   bool
	Once     bool

	// Unplayed are flags that have no effect here.
	Unplayed []string
}

// Default returns the settings without any arguments.
func Default() Settings {
	return Settings{
		Policy: plan.Sync, Registry: "txt", OwnerID: "default", Interval: time.Minute,
		Types:  []string{record.A, record.AAAA, record.CNAME},
		Labels: labels.Everything(), Annotations: labels.Everything(), GatewayLabels: labels.Everything(),
	}
}

// Manages reports whether a name lies in the domains that were asked for.
func (s Settings) Manages(name string) bool {
	if s.ExcludedPattern != nil && s.ExcludedPattern.MatchString(name) {
		return false
	}
	if s.DomainPattern != nil {
		return s.DomainPattern.MatchString(name)
	}
	in := func(domain string) bool {
		if below, ok := strings.CutPrefix(domain, "."); ok {
			return strings.HasSuffix(name, "."+below)
		}
		return record.Within(name, domain)
	}
	if slices.ContainsFunc(s.ExcludedDomains, in) {
		return false
	}
	return len(s.Domains) == 0 || slices.ContainsFunc(s.Domains, in)
}

// Zones are the domains that are asked for by name.
func (s Settings) Zones() []string {
	var zones []string
	for _, domain := range s.Domains {
		zones = append(zones, strings.TrimPrefix(domain, "."))
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

// Has reports whether records come from a source.
func (s Settings) Has(source string) bool { return slices.Contains(s.Sources, source) }
