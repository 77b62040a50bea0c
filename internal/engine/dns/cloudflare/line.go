package cloudflare

import (
	"strconv"
	"strings"

	cfdns "github.com/cloudflare/cloudflare-go/v6/dns"

	"hearth/internal/engine/dns/record"
)

// line is one record of the API, which knows no sets.
type line struct {
	ID       string  `json:"id,omitempty"`
	Name     string  `json:"name,omitempty"`
	Type     string  `json:"type,omitempty"`
	Content  string  `json:"content,omitempty"`
	TTL      int64   `json:"ttl,omitempty"`
	Proxied  *bool   `json:"proxied,omitempty"`
	Priority *uint16 `json:"priority,omitempty"`
	Data     *target `json:"data,omitempty"`
}

// target is where a SRV record leads.
type target struct {
	Priority uint16 `json:"priority"`
	Weight   uint16 `json:"weight"`
	Port     uint16 `json:"port"`
	Target   string `json:"target"`
}

func (l line) key() record.Key { return record.Key{Name: l.Name, Type: l.Type} }

// lineOf reads a record of an answer.
func lineOf(r cfdns.RecordResponse) line {
	l := line{ID: r.ID, Name: record.Canonical(r.Name), Type: string(r.Type), Content: r.Content, TTL: int64(r.TTL), Proxied: &r.Proxied}
	if priority := r.Priority; priority >= 0 && priority <= 1<<16-1 {
		p := uint16(priority)
		l.Priority = &p
	}
	return l
}

// text returns the line's target as records have it.
func (l line) text() string {
	switch l.Type {
	case record.TXT:
		return quoted(l.Content)
	case record.MX, record.SRV:
		if l.Priority != nil {
			return strconv.Itoa(int(*l.Priority)) + " " + record.Canonical(strings.ReplaceAll(l.Content, "\t", " "))
		}
	}
	return record.Canonical(l.Content)
}

// quoted puts a text into quotes that has none: Cloudflare keeps either.
func quoted(text string) string {
	if strings.HasPrefix(text, `"`) {
		return text
	}
	return `"` + text + `"`
}

// join makes a record of the lines that have a name and type in common.
func join(lines []line) record.Record {
	r := record.Record{Name: lines[0].Name, Type: lines[0].Type, TTL: lines[0].TTL}
	for _, l := range lines {
		r.Targets = append(r.Targets, l.text())
	}
	r.Targets = record.Targets(r.Type, r.Targets)
	if r.Type != record.TXT {
		r.Properties = map[string]string{record.Proxied: strconv.FormatBool(lines[0].Proxied != nil && *lines[0].Proxied)}
	}
	return r
}

// split returns the lines of a record, by target.
func split(r record.Record) map[string]line {
	proxied := r.Properties[record.Proxied] == "true"
	ttl := r.TTL
	if ttl == 0 || proxied {
		ttl = automatic
	}
	lines := map[string]line{}
	for _, text := range r.Targets {
		l := line{Name: r.Name, Type: r.Type, Content: text, TTL: ttl}
		if proxiable(r.Type) {
			l.Proxied = &proxied
		}
		fields := strings.Fields(text)
		switch {
		case r.Type == record.MX && len(fields) == 2:
			priority := number(fields[0])
			l.Priority, l.Content = &priority, fields[1]
		case r.Type == record.SRV && len(fields) == 4:
			l.Content, l.Data = "", &target{number(fields[0]), number(fields[1]), number(fields[2]), fields[3]}
		}
		lines[text] = l
	}
	return lines
}

// number reads a number of a target; what is none is left to Cloudflare to refuse.
func number(text string) uint16 {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}
