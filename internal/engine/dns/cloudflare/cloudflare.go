// Package cloudflare keeps DNS records in a Cloudflare account, by its API v4
// and the official client.
//
// All zones that the token may see are read, page by page; changes go out as
// one batch a zone, which Cloudflare carries out as a whole or not at all. A
// batch that is refused for its content is tried change by change, so that one
// bad record does not keep the others from their place. Requests that are
// turned away as too many wait as long as the answer says. The token is sent to
// the API only, and is in no error.
package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	cf "github.com/cloudflare/cloudflare-go/v6"
	cfdns "github.com/cloudflare/cloudflare-go/v6/dns"
	"github.com/cloudflare/cloudflare-go/v6/option"
	"github.com/cloudflare/cloudflare-go/v6/zones"

	"hearth/internal/engine/dns/record"
)

// Options say which account to keep records in.
type Options struct {
	// Token is an API token that may read zones and edit their records.
	Token string
	// Domains are those whose zones are looked at; none means all.
	Domains []string
	// Proxied lets Cloudflare stand in front of names that do not say.
	Proxied bool
	// BaseURL is where the API is; empty means Cloudflare's own. It must be
	// https, but on loopback.
	BaseURL string
	// PageSize is how many records are asked for at once; 0 means 100.
	PageSize int
	// Client sends requests; nil means one with time-outs.
	Client *http.Client
}

const (
	defaultPage    = 100
	maxPage        = 5000
	retries        = 2
	requestTimeout = 30 * time.Second
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 32 << 20
	// maxZones and maxRecords bound what is read.
	maxZones   = 1000
	maxRecords = 200000
)

// Provider is an account at Cloudflare.
type Provider struct {
	options Options
	zones   *zones.ZoneService
	records *cfdns.RecordService

	// What was read last; a change refers to it.
	ids    map[string]string // zone names to ids
	lines  map[record.Key][]line
	zoneOf []string // zone names, the longest first
}

// New returns the account of a token. Nothing is sent yet.
func New(o Options) (*Provider, error) {
	if o.Token == "" || strings.ContainsAny(o.Token, "\r\n") {
		return nil, errors.New("cloudflare: the API token is empty, or holds a line break")
	}
	if o.PageSize <= 0 {
		o.PageSize = defaultPage
	}
	o.PageSize = min(o.PageSize, maxPage)
	if o.Client == nil {
		o.Client = &http.Client{Timeout: requestTimeout}
	}
	options := []option.RequestOption{
		option.WithEnvironmentProduction(), option.WithAPIToken(o.Token), option.WithHTTPClient(o.Client),
		option.WithMaxRetries(retries), option.WithMiddleware(bounded),
	}
	if o.BaseURL != "" {
		if err := checkBase(o.BaseURL); err != nil {
			return nil, err
		}
		options = append(options, option.WithBaseURL(o.BaseURL))
	}
	return &Provider{options: o, zones: zones.NewZoneService(options...), records: cfdns.NewRecordService(options...)}, nil
}

// checkBase keeps the token from travelling in the clear.
func checkBase(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil {
		return errors.New("cloudflare: the base URL is no URL of an API")
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || err != nil || !ip.IsLoopback()) {
		return errors.New("cloudflare: the base URL has to be https")
	}
	return nil
}

// bounded cuts answers off that are longer than any should be.
func bounded(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	res, err := next(req)
	if err == nil && res.Body != nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxAnswer), res.Body}
	}
	return res, err
}

// Adjust brings wanted records to the form in which Cloudflare keeps them.
func (p *Provider) Adjust(wanted []record.Record) []record.Record {
	return Adjust(wanted, p.options.Proxied)
}

// Records returns the records of all zones.
func (p *Provider) Records(ctx context.Context) ([]record.Record, error) {
	if err := p.readZones(ctx); err != nil {
		return nil, err
	}
	p.lines = map[record.Key][]line{}
	count := 0
	for _, zone := range p.zoneOf {
		pages := p.records.ListAutoPaging(ctx, cfdns.RecordListParams{ZoneID: cf.F(p.ids[zone]), PerPage: cf.F(float64(p.options.PageSize))})
		for pages.Next() {
			if count++; count > maxRecords {
				return nil, fmt.Errorf("cloudflare: there are more than %d records", maxRecords)
			}
			l := lineOf(pages.Current())
			p.lines[l.key()] = append(p.lines[l.key()], l)
		}
		if err := pages.Err(); err != nil {
			return nil, explain("list the records of "+zone, err)
		}
	}
	var list []record.Record
	for _, lines := range p.lines {
		list = append(list, join(lines))
	}
	slices.SortFunc(list, record.Compare)
	return list, nil
}

func (p *Provider) readZones(ctx context.Context) error {
	p.ids, p.zoneOf = map[string]string{}, nil
	pages := p.zones.ListAutoPaging(ctx, zones.ZoneListParams{PerPage: cf.F(50.0)})
	for pages.Next() {
		zone := pages.Current()
		name := record.Canonical(zone.Name)
		if len(p.ids) >= maxZones || !p.concerns(name) {
			continue
		}
		p.ids[name] = zone.ID
		p.zoneOf = append(p.zoneOf, name)
	}
	slices.SortFunc(p.zoneOf, func(a, b string) int { return len(b) - len(a) })
	return explain("list the zones", pages.Err())
}

// concerns reports whether a zone may hold any of the domains.
func (p *Provider) concerns(zone string) bool {
	return len(p.options.Domains) == 0 || slices.ContainsFunc(p.options.Domains, func(domain string) bool {
		domain = strings.TrimPrefix(domain, ".")
		return record.Within(domain, zone) || record.Within(zone, domain)
	})
}

// zone returns the zone that holds a name.
func (p *Provider) zone(name string) (string, error) {
	for _, zone := range p.zoneOf {
		if record.Within(name, zone) {
			return zone, nil
		}
	}
	return "", fmt.Errorf("cloudflare: no zone that the token may see holds %s", name)
}

// maxMessage bounds what an error repeats of an answer.
const maxMessage = 300

// explain turns the client's error into a sentence without request or token.
func explain(attempt string, err error) error {
	if err == nil {
		return nil
	}
	var refused *cf.Error
	if !errors.As(err, &refused) {
		var sending *url.Error
		if errors.As(err, &sending) {
			err = sending.Err // without the address
		}
		return fmt.Errorf("cloudflare: %s: %w", attempt, err)
	}
	var said []string
	for _, e := range refused.Errors {
		said = append(said, fmt.Sprintf("%s (%d)", e.Message, e.Code))
	}
	message := strings.Join(said, "; ")
	message = strings.ToValidUTF8(message[:min(len(message), maxMessage)], "")
	switch refused.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		message = "the token is not accepted, or may not do this: " + message
	case http.StatusTooManyRequests:
		message = "there were too many requests: " + message
	}
	return &refusal{attempt, refused.StatusCode, strings.TrimSuffix(message, ": ")}
}

// refusal is an answer that says no.
type refusal struct {
	attempt string
	status  int
	message string
}

// Error returns the sentence.
func (r *refusal) Error() string {
	return fmt.Sprintf("cloudflare: %s: %d %s: %s", r.attempt, r.status, http.StatusText(r.status), r.message)
}
