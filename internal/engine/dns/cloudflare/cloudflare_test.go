package cloudflare_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/engine/dns/cloudflare"
	"hearth/internal/engine/dns/plan"
	"hearth/internal/engine/dns/record"
	"hearth/internal/engine/dns/registry"
)

func open(t *testing.T, a *api, change ...func(*cloudflare.Options)) *cloudflare.Provider {
	t.Helper()
	o := cloudflare.Options{Token: token, BaseURL: a.url(), PageSize: 3}
	for _, f := range change {
		f(&o)
	}
	p, err := cloudflare.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func rec(name, kind string, targets ...string) record.Record {
	return record.Record{Name: name, Type: kind, Targets: targets}
}

// reconcile plans and applies as one owner would.
func reconcile(t *testing.T, p *cloudflare.Provider, wanted ...record.Record) (int, error) {
	t.Helper()
	have, err := p.Records(t.Context())
	if err != nil {
		return 0, err
	}
	state := registry.Registry{Owner: "me"}.Read(have)
	changes := plan.Calculate(state.Records, p.Adjust(wanted), plan.Options{Owner: "me", Policy: plan.Sync, Types: []string{"A", "AAAA", "CNAME", "MX", "SRV", "TXT"}})
	groups := state.Groups(&changes)
	return len(groups), p.Apply(t.Context(), groups)
}

func mustSync(t *testing.T, p *cloudflare.Provider, wanted ...record.Record) int {
	t.Helper()
	n, err := reconcile(t, p, wanted...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func proxied(r record.Record, value string) record.Record {
	r.Properties = map[string]string{record.Proxied: value}
	return r
}

func TestSync(t *testing.T) {
	a := newAPI(t, "example.org", "example.com", "other.net")
	a.put("example.org", entry{Name: "hand.example.org", Type: "A", Content: "192.0.2.99", TTL: 300})
	p := open(t, a, func(o *cloudflare.Options) { o.Domains = []string{"example.org", "example.com"}; o.Proxied = true })
	wanted := []record.Record{
		rec("www.example.org", "A", "192.0.2.1", "192.0.2.2"), proxied(rec("plain.example.org", "CNAME", "www.example.org"), "false"),
		rec("hand.example.org", "A", "192.0.2.1"), rec("a.example.com", "AAAA", "2001:db8::1"),
		rec("_s._tcp.example.org", "SRV", "0 50 80 www.example.org"), rec("sub.example.org", "MX", "10 mail.example.org"),
	}
	mustSync(t, p, wanted...)
	want := []string{
		`a-www.example.org 1 TXT "heritage=external-dns,external-dns/owner=me" proxied=false `,
		`a.example.com 1 AAAA 2001:db8::1 proxied=true `,
		`aaaa-a.example.com 1 TXT "heritage=external-dns,external-dns/owner=me" proxied=false `,
		`cname-plain.example.org 1 TXT "heritage=external-dns,external-dns/owner=me" proxied=false `,
		`hand.example.org 300 A 192.0.2.99 proxied=false `,
		`plain.example.org 1 CNAME www.example.org proxied=false `,
		`www.example.org 1 A 192.0.2.1 proxied=true `,
		`www.example.org 1 A 192.0.2.2 proxied=true `,
	}
	var got []string
	for _, l := range a.lines() {
		if !strings.Contains(l, "SRV") && !strings.Contains(l, "MX") && !strings.HasPrefix(l, "srv-") && !strings.HasPrefix(l, "mx-") {
			got = append(got, l)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if a.batches != 2 {
		t.Errorf("two zones took %d batches", a.batches)
	}
	mustSync(t, p)
	if diff := cmp.Diff([]string{"hand.example.org 300 A 192.0.2.99 proxied=false "}, a.lines()); diff != "" {
		t.Errorf("after nothing is wanted (-want +got):\n%s", diff)
	}
}

func TestNothingIsChangedTwice(t *testing.T) {
	a := newAPI(t, "example.org")
	p := open(t, a)
	short := rec("ttl.example.org", "A", "192.0.2.1")
	short.TTL = 5
	wanted := []record.Record{rec("www.example.org", "A", "192.0.2.1"), short, proxied(short, "true"), rec("txt.example.org", "TXT", "v=spf1")}
	wanted[2].Name = "proxied.example.org"
	mustSync(t, p, wanted...)
	if n := mustSync(t, p, wanted...); n != 0 {
		t.Errorf("the second time %d changes are made: %q", n, a.lines())
	}
}

func TestPagination(t *testing.T) {
	a := newAPI(t, "example.org")
	for i := range 10 {
		a.put("example.org", entry{Name: fmt.Sprintf("h%d.example.org", i), Type: "A", Content: "192.0.2.1", TTL: 1})
	}
	records, err := open(t, a).Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 10 || a.pages < 4 {
		t.Errorf("%d records were read on %d pages", len(records), a.pages)
	}
}

func TestAnUpdateKeepsTheComment(t *testing.T) {
	a := newAPI(t, "example.org")
	a.put("example.org", entry{Name: "www.example.org", Type: "A", Content: "192.0.2.1", TTL: 1, Comment: "keep"})
	a.put("example.org", entry{Name: "a-www.example.org", Type: "TXT", Content: "heritage=external-dns,external-dns/owner=me", TTL: 1})
	mustSync(t, open(t, a), rec("www.example.org", "A", "192.0.2.2"))
	if got := a.lines()[1]; got != "www.example.org 1 A 192.0.2.2 proxied=false keep" {
		t.Errorf("the record is %s", got)
	}
}

func TestTooManyRequests(t *testing.T) {
	a := newAPI(t, "example.org")
	a.busy = 2
	mustSync(t, open(t, a), rec("www.example.org", "A", "192.0.2.1"))
	a.busy = 100
	_, err := reconcile(t, open(t, a), rec("www.example.org", "A", "192.0.2.1"))
	if err == nil || !strings.Contains(err.Error(), "too many requests") {
		t.Errorf("the error is %v", err)
	}
}

func TestOneBadRecordDoesNotStopTheOthers(t *testing.T) {
	a := newAPI(t, "example.org")
	p := open(t, a)
	_, err := reconcile(t, p, rec("bad.example.org", "A", "0.1.2.3"), rec("good.example.org", "A", "192.0.2.1"), rec("far.example.edu", "A", "192.0.2.1"))
	if err == nil || !strings.Contains(err.Error(), "bad.example.org") || !strings.Contains(err.Error(), "far.example.edu") {
		t.Errorf("the error is %v", err)
	}
	if text := strings.Join(a.lines(), "\n"); !strings.Contains(text, "\ngood.example.org 1 A") || strings.Contains(text, "\nbad.example.org") {
		t.Errorf("the records are\n%s", text)
	}
	if n := mustSync(t, p, rec("good.example.org", "A", "192.0.2.1")); n != 0 {
		t.Errorf("what is good was changed again: %d changes", n)
	}
}

func TestWrongToken(t *testing.T) {
	a := newAPI(t, "example.org")
	const wrong = "another-s3cr3t"
	_, err := open(t, a, func(o *cloudflare.Options) { o.Token = wrong }).Records(t.Context())
	if err == nil || !strings.Contains(err.Error(), "token is not accepted") {
		t.Errorf("the error is %v", err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v", err, err), wrong) {
		t.Error("the error holds the token")
	}
	a.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := open(t, a).Records(ctx); err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("without an API the error is %v", err)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []cloudflare.Options{
		{}, {Token: "a\nb"}, {Token: token, BaseURL: "http://api.example.org"}, {Token: token, BaseURL: "ftp://127.0.0.1"}, {Token: token, BaseURL: "https://u:p@example.org"},
	} {
		if _, err := cloudflare.New(o); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%s: the error is %v", o.BaseURL, err)
		}
	}
}
