// Package annotation reads what External-DNS' annotations say.
//
// Releases before 0.23 know them by the prefix external-dns.alpha.kubernetes.io/,
// later ones by external-dns.kubernetes.io/; where both say something, the one
// that was asked for first holds. Unreadable values are as if they were absent,
// as in External-DNS.
package annotation

import (
	"math"
	"strconv"
	"strings"
	"time"

	"hearth/internal/engine/dns/record"
)

// The prefixes that annotations have had.
const (
	AlphaPrefix = "external-dns.alpha.kubernetes.io/"
	Prefix      = "external-dns.kubernetes.io/"
)

// controller is the value by which External-DNS knows what is meant for it.
const controller = "dns-controller"

// Set reads one object's annotations.
type Set struct {
	prefixes []string
	values   map[string]string
}

// Of returns what the annotations say under one of the prefixes; none means
// both that there have been.
func Of(values map[string]string, prefixes ...string) Set {
	if len(prefixes) == 0 {
		prefixes = []string{AlphaPrefix, Prefix}
	}
	return Set{prefixes, values}
}

func (s Set) get(name string) (string, bool) {
	for _, prefix := range s.prefixes {
		if v, ok := s.values[prefix+name]; ok {
			return v, true
		}
	}
	return "", false
}

// Ours reports whether the object is meant for External-DNS: it names no other
// controller.
func (s Set) Ours() bool {
	v, ok := s.get("controller")
	return !ok || v == controller
}

// Hostnames are the names that the object asks for beside its own.
func (s Set) Hostnames() []string { return s.list("hostname") }

// InternalHostnames are the names that lead to the object inside the cluster.
func (s Set) InternalHostnames() []string { return s.list("internal-hostname") }

// Targets are where the object's names lead, instead of where it stands.
func (s Set) Targets() []string { return s.list("target") }

// HostnameSource says where a Route's names come from: "defined-hosts-only",
// "annotation-only", or "" for both.
func (s Set) HostnameSource() string { return s.word("gateway-hostname-source") }

// IngressHostnameSource is HostnameSource of an Ingress.
func (s Set) IngressHostnameSource() string { return s.word("ingress-hostname-source") }

// Access says which addresses of nodes are meant: "public", "private" or "".
func (s Set) Access() string { return s.word("access") }

// EndpointsType says which addresses of a headless Service's pods are meant.
func (s Set) EndpointsType() string {
	v, _ := s.get("endpoints-type")
	return v
}

// SetIdentifier tells the object's records from others of the same name.
func (s Set) SetIdentifier() string {
	v, _ := s.get("set-identifier")
	return v
}

// TTL returns the time to live in seconds, or 0 where none is given.
func (s Set) TTL() int64 {
	v, ok := s.get("ttl")
	if !ok {
		return 0
	}
	seconds, err := ParseTTL(v)
	if err != nil || seconds < 1 || seconds > math.MaxInt32 {
		return 0
	}
	return seconds
}

// ParseTTL reads seconds, or a duration whose fraction of a second is dropped.
func ParseTTL(text string) (int64, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return int64(d / time.Second), nil
	}
	return strconv.ParseInt(text, 10, 64)
}

// providers are the providers that have annotations of their own.
var providers = []string{"aws", "cloudflare", "coredns", "scw", "webhook"}

// Properties returns what the annotations tell providers, such as
// "cloudflare/proxied".
func (s Set) Properties() map[string]string {
	var properties map[string]string
	set := func(name, value string) {
		if properties == nil {
			properties = map[string]string{}
		}
		if _, ok := properties[name]; !ok {
			properties[name] = value
		}
	}
	for _, prefix := range s.prefixes {
		for key, value := range s.values {
			rest, ok := strings.CutPrefix(key, prefix)
			if !ok {
				continue
			}
			for _, provider := range providers {
				if name, ok := strings.CutPrefix(rest, provider+"-"); ok && name != "" {
					set(provider+"/"+name, value)
				}
			}
		}
	}
	return properties
}

func (s Set) word(name string) string {
	v, _ := s.get(name)
	return strings.ToLower(strings.TrimSpace(v))
}

// maxList bounds how many names an annotation may hold.
const maxList = 256

func (s Set) list(name string) []string {
	v, ok := s.get(name)
	if !ok {
		return nil
	}
	var list []string
	for item := range strings.SplitSeq(v, ",") {
		if item = record.Canonical(item); item != "" && len(list) < maxList {
			list = append(list, item)
		}
	}
	return list
}
