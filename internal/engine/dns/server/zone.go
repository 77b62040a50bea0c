package server

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"hearth/internal/engine/dns/record"
)

const (
	// defaultTTL is what records get whose owner leaves it to the provider.
	defaultTTL = 300
	// negativeTTL is how long a resolver may remember that there is nothing.
	negativeTTL = 30
	// host is the name under which the server is the zones' own.
	host = "ns.hearth.invalid."
	// mailbox stands in a zone's SOA for whom to write to.
	mailbox = "hostmaster.hearth.invalid."
)

// zone is what can be asked for, by one who stands inside or outside. It never
// changes; keys are fully qualified and in lower case.
type zone struct {
	apexes map[string]dns.RR // the SOA of each zone
	names  map[string]node
}

// node is all records of a name. One without any is a name between others.
type node map[uint16][]dns.RR

// newZone makes a zone of records, the first of which hide those of the same
// name in later lists.
func newZone(serial uint32, domains []string, lists ...[]record.Record) *zone {
	z := &zone{apexes: map[string]dns.RR{}, names: map[string]node{}}
	for _, list := range lists {
		own := map[string]node{}
		for _, r := range list {
			name := dns.Fqdn(r.Name)
			if own[name] == nil {
				own[name] = node{}
			}
			for _, rr := range toRRs(r) {
				own[name][rr.Header().Rrtype] = append(own[name][rr.Header().Rrtype], rr)
			}
			domains = append(domains, assumedDomain(r.Name, domains))
		}
		for name, n := range own {
			if _, hidden := z.names[name]; !hidden {
				z.names[name] = n
			}
		}
	}
	for _, domain := range domains {
		z.begin(dns.Fqdn(domain), serial)
	}
	for _, name := range slices.Collect(maps.Keys(z.names)) {
		z.fillUp(name)
	}
	return z
}

// begin makes a name the top of a zone.
func (z *zone) begin(apex string, serial uint32) {
	if apex == "." || z.apexes[apex] != nil {
		return
	}
	soa := &dns.SOA{
		Hdr: header(apex, dns.TypeSOA, negativeTTL), Ns: host, Mbox: mailbox, Serial: serial,
		Refresh: 3600, Retry: 600, Expire: 86400, Minttl: negativeTTL,
	}
	z.apexes[apex] = soa
	n := node{}
	maps.Copy(n, z.names[apex])
	n[dns.TypeSOA] = []dns.RR{soa}
	n[dns.TypeNS] = append(slices.Clone(n[dns.TypeNS]), &dns.NS{Hdr: header(apex, dns.TypeNS, defaultTTL), Ns: host})
	z.names[apex] = n
}

// fillUp notes the names above one, up to its zone: they exist, too (RFC 4592).
func (z *zone) fillUp(name string) {
	apex := z.apexOf(name)
	for apex != "" && name != apex {
		_, name, _ = strings.Cut(name, ".")
		if _, ok := z.names[name]; !ok {
			z.names[name] = node{}
		}
	}
}

// apexOf returns the top of the zone that a name lies in, or "".
func (z *zone) apexOf(name string) string {
	for name != "" {
		if z.apexes[name] != nil {
			return name
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return ""
}

// assumedDomain returns the domain a name is in where none of the known ones
// is: its last two labels.
func assumedDomain(name string, domains []string) string {
	for _, domain := range domains {
		if record.Within(name, domain) {
			return domain
		}
	}
	labels := strings.Split(name, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}

func header(name string, kind uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
}

// toRRs returns the single records of a set. What cannot be one is left out.
func toRRs(r record.Record) []dns.RR {
	kind, ok := dns.StringToType[r.Type]
	if !ok {
		return nil
	}
	ttl := uint32(defaultTTL)
	if r.TTL > 1 && r.TTL <= 1<<31-1 { // 1 means automatic, to Cloudflare
		ttl = uint32(r.TTL)
	}
	var list []dns.RR
	for _, target := range r.Targets {
		if rr := toRR(header(dns.Fqdn(r.Name), kind, ttl), target); rr != nil {
			list = append(list, rr)
		}
	}
	if r.Type == record.CNAME && len(list) > 1 {
		return list[:1]
	}
	return list
}

func toRR(h dns.RR_Header, target string) dns.RR {
	switch h.Rrtype {
	case dns.TypeA:
		if ip := ip4(target); ip != nil {
			return &dns.A{Hdr: h, A: ip}
		}
	case dns.TypeAAAA:
		if ip := ip6(target); ip != nil {
			return &dns.AAAA{Hdr: h, AAAA: ip}
		}
	case dns.TypeTXT:
		return &dns.TXT{Hdr: h, Txt: chunks(unquote(target))}
	}
	fields := strings.Fields(target)
	if len(fields) == 0 || !validHost(fields[len(fields)-1]) {
		return nil
	}
	name, numbers := dns.Fqdn(fields[len(fields)-1]), fields[:len(fields)-1]
	n := make([]uint16, len(numbers))
	for i, text := range numbers {
		v, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return nil
		}
		n[i] = uint16(v)
	}
	switch {
	case h.Rrtype == dns.TypeCNAME && len(n) == 0:
		return &dns.CNAME{Hdr: h, Target: name}
	case h.Rrtype == dns.TypeNS && len(n) == 0:
		return &dns.NS{Hdr: h, Ns: name}
	case h.Rrtype == dns.TypeMX && len(n) == 1:
		return &dns.MX{Hdr: h, Preference: n[0], Mx: name}
	case h.Rrtype == dns.TypeSRV && len(n) == 3:
		return &dns.SRV{Hdr: h, Priority: n[0], Weight: n[1], Port: n[2], Target: name}
	}
	return nil
}

func validHost(name string) bool {
	name = record.Canonical(name)
	return record.ValidName(name) && !strings.HasPrefix(name, "*")
}

// unquote takes the quotes off a text that has them.
func unquote(text string) string {
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		return text[1 : len(text)-1]
	}
	return text
}

// chunks cuts a text into the strings of a TXT record, of 255 bytes at most
// (RFC 1035), escaped as the library wants them.
func chunks(text string) []string {
	var list []string
	for len(text) > 255 {
		list = append(list, escape(text[:255]))
		text = text[255:]
	}
	return append(list, escape(text))
}

func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
}
