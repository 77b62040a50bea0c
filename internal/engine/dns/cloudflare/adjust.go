package cloudflare

import (
	"strconv"
	"strings"

	"hearth/internal/engine/dns/record"
)

// The bounds of a time to live at Cloudflare, in seconds, for zones of any plan.
const (
	minTTL = 60
	maxTTL = 86400
	// automatic is the time to live that Cloudflare chooses.
	automatic = 1
)

// Adjust brings wanted records to the form in which Cloudflare keeps them:
// addresses and aliases say whether they are proxied, by default as given, and
// proxied ones have no time to live of their own. Properties of other providers
// and set identifiers are unknown there.
func Adjust(wanted []record.Record, proxied bool) []record.Record {
	adjusted := make([]record.Record, 0, len(wanted))
	for _, r := range wanted {
		is := proxied
		if asked, err := strconv.ParseBool(r.Properties[record.Proxied]); err == nil {
			is = asked
		}
		is = is && proxiable(r.Type) && !strings.HasPrefix(r.Name, "_")
		r.Properties = map[string]string{record.Proxied: strconv.FormatBool(is)}
		r.SetIdentifier = ""
		if r.Type == record.TXT {
			r.Properties, r.Targets = nil, quotedAll(r.Targets)
		}
		switch {
		case is:
			r.TTL = 0
		case r.TTL > automatic:
			r.TTL = min(max(r.TTL, minTTL), maxTTL)
		}
		adjusted = append(adjusted, r)
	}
	return adjusted
}

func proxiable(kind string) bool {
	return kind == record.A || kind == record.AAAA || kind == record.CNAME
}

func quotedAll(texts []string) []string {
	var list []string
	for _, text := range texts {
		list = append(list, quoted(text))
	}
	return record.Targets(record.TXT, list)
}
