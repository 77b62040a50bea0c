package server_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"hearth/internal/engine/dns/plan"
	"hearth/internal/engine/dns/record"
	"hearth/internal/engine/dns/server"
)

func rec(name, kind string, targets ...string) record.Record {
	return record.Record{Name: name, Type: kind, Targets: targets}
}

func apply(t testing.TB, a *server.Account, records ...record.Record) {
	t.Helper()
	var changes plan.Group
	for _, r := range records {
		changes = append(changes, plan.Of(r))
	}
	if err := a.Apply(t.Context(), []plan.Group{changes}); err != nil {
		t.Fatal(err)
	}
}

// zones is a server with records of all kinds, at home and outside.
func zones(t testing.TB) *server.Server {
	s := server.New()
	world, home := s.Account("cloudflare", false), s.Account("unifi", true)
	world.Serve("example.org")
	ttl := rec("www.example.org", "A", "192.0.2.1", "192.0.2.2")
	ttl.TTL = 60
	long := rec("long.example.org", "TXT", strings.Repeat("x", 600))
	var many []string
	for i := range 60 {
		many = append(many, "203.0.113."+strconv.Itoa(i))
	}
	apply(
		t, world, ttl, rec("www.example.org", "AAAA", "2001:db8::1"), rec("app.example.org", "CNAME", "www.example.org"),
		rec("both.example.org", "A", "192.0.2.10"), rec("tunnel.example.org", "CNAME", "x.cfargotunnel.com"),
		rec("*.wild.example.org", "A", "192.0.2.3"), rec("a.b.deep.example.org", "A", "192.0.2.4"), long, rec("many.example.org", "A", many...),
		rec("loop.example.org", "CNAME", "pool.example.org"), rec("pool.example.org", "CNAME", "loop.example.org"), rec("gone.example.org", "CNAME", "nowhere.example.org"),
		rec("example.org", "MX", "10 mail.example.org"), rec("_sip._tcp.example.org", "SRV", "0 50 5060 www.example.org"),
		rec("quoted.example.org", "TXT", `"heritage=external-dns,external-dns/owner=x"`),
	)
	apply(t, home, rec("both.example.org", "A", "10.0.0.10"), rec("nas.example.org", "A", "10.0.0.11"), rec("app.wild.example.org", "A", "10.0.0.12"))
	return s
}

func query(name string, kind uint16) *dns.Msg { return new(dns.Msg).SetQuestion(dns.Fqdn(name), kind) }

// summary is an answer in short: its code, and what it says.
func summary(m *dns.Msg) string {
	parts := []string{dns.RcodeToString[m.Rcode]}
	for _, rr := range m.Answer {
		fields := strings.Fields(rr.String())
		parts = append(parts, strings.Join(append(fields[:2:2], fields[3:]...), " "))
	}
	for _, rr := range m.Ns {
		parts = append(parts, "+"+dns.TypeToString[rr.Header().Rrtype])
	}
	return strings.Join(parts, "; ")
}

func TestAnswers(t *testing.T) {
	s := zones(t)
	tests := []struct {
		name string
		kind uint16
		want string
	}{
		{"www.example.org", dns.TypeA, "NOERROR; www.example.org. 60 A 192.0.2.1; www.example.org. 60 A 192.0.2.2"},
		{"WWW.Example.org", dns.TypeAAAA, "NOERROR; WWW.Example.org. 300 AAAA 2001:db8::1"},
		{"www.example.org", dns.TypeTXT, "NOERROR; +SOA"},
		{"nothing.example.org", dns.TypeA, "NXDOMAIN; +SOA"},
		{"app.example.org", dns.TypeCNAME, "NOERROR; app.example.org. 300 CNAME www.example.org."},
		{"app.example.org", dns.TypeAAAA, "NOERROR; app.example.org. 300 CNAME www.example.org.; www.example.org. 300 AAAA 2001:db8::1"},
		{"tunnel.example.org", dns.TypeA, "NOERROR; tunnel.example.org. 300 CNAME x.cfargotunnel.com."},
		{"gone.example.org", dns.TypeA, "NXDOMAIN; gone.example.org. 300 CNAME nowhere.example.org.; +SOA"},
		{"any.wild.example.org", dns.TypeA, "NOERROR; any.wild.example.org. 300 A 192.0.2.3"},
		{"a.b.wild.example.org", dns.TypeA, "NOERROR; a.b.wild.example.org. 300 A 192.0.2.3"},
		{"any.wild.example.org", dns.TypeAAAA, "NOERROR; +SOA"},
		{"app.wild.example.org", dns.TypeA, "NOERROR; app.wild.example.org. 300 A 10.0.0.12"},
		{"x.app.wild.example.org", dns.TypeA, "NXDOMAIN; +SOA"},
		{"deep.example.org", dns.TypeA, "NOERROR; +SOA"},
		{"b.deep.example.org", dns.TypeA, "NOERROR; +SOA"},
		{"example.org", dns.TypeNS, "NOERROR; example.org. 300 NS ns.hearth.invalid."},
		{"example.org", dns.TypeMX, "NOERROR; example.org. 300 MX 10 mail.example.org."},
		{"_sip._tcp.example.org", dns.TypeSRV, "NOERROR; _sip._tcp.example.org. 300 SRV 0 50 5060 www.example.org."},
		{"quoted.example.org", dns.TypeTXT, `NOERROR; quoted.example.org. 300 TXT "heritage=external-dns,external-dns/owner=x"`},
		{"both.example.org", dns.TypeA, "NOERROR; both.example.org. 300 A 10.0.0.10"},
		{"nas.example.org", dns.TypeA, "NOERROR; nas.example.org. 300 A 10.0.0.11"},
		{"www.example.org", dns.TypeANY, `NOERROR; www.example.org. 30 HINFO "RFC8482" ""`},
		{"www.example.org", dns.TypeAXFR, "REFUSED"},
		{"example.org", dns.TypeIXFR, "REFUSED"},
		{"www.example.net", dns.TypeA, "REFUSED"},
		{".", dns.TypeNS, "REFUSED"},
	}
	for _, test := range tests {
		m := s.Answer(query(test.name, test.kind), false)
		if got := summary(m); got != test.want {
			t.Errorf("%s %s is answered\n     %s\nwant %s", test.name, dns.TypeToString[test.kind], got, test.want)
		}
		if refused := m.Rcode == dns.RcodeRefused; m.Authoritative == refused {
			t.Errorf("%s: authoritative is %v", test.name, m.Authoritative)
		}
		if _, err := m.Pack(); err != nil {
			t.Errorf("%s %s: the answer cannot be sent: %v", test.name, dns.TypeToString[test.kind], err)
		}
	}
	if m := s.Answer(query("loop.example.org", dns.TypeA), false); len(m.Answer) != 8 {
		t.Errorf("aliases that lead in a circle are followed %d times", len(m.Answer))
	}
}

// asIfFrom adds an EDNS client subnet.
func asIfFrom(q *dns.Msg, address string) *dns.Msg {
	q.SetEdns0(4096, false)
	q.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: net.ParseIP(address).To4()}}
	return q
}

func TestWhoAsks(t *testing.T) {
	s := zones(t)
	for address, want := range map[string]string{"8.8.8.0": "192.0.2.10", "192.168.1.0": "10.0.0.10"} {
		m := s.Answer(asIfFrom(query("both.example.org", dns.TypeA), address), true)
		if got := m.Answer[0].(*dns.A).A.String(); got != want {
			t.Errorf("%s is answered %s, want %s", address, got, want)
		}
		if subnet, ok := m.IsEdns0().Option[0].(*dns.EDNS0_SUBNET); !ok || subnet.SourceScope != 24 {
			t.Errorf("the answer does not say for whom it is: %v", m.IsEdns0())
		}
	}
	if m := s.Answer(asIfFrom(query("nas.example.org", dns.TypeA), "8.8.8.0"), true); m.Rcode != dns.RcodeNameError {
		t.Errorf("a name of the home is told outside: %s", summary(m))
	}
}

func TestEDNS(t *testing.T) {
	s := zones(t)
	if m := s.Answer(query("many.example.org", dns.TypeA), true); !m.Truncated || m.Len() > dns.MinMsgSize || m.IsEdns0() != nil {
		t.Errorf("without EDNS an answer has %d bytes, truncated %v", m.Len(), m.Truncated)
	}
	q := query("many.example.org", dns.TypeA)
	q.SetEdns0(4096, false)
	if m := s.Answer(q, true); m.Truncated || m.Len() > 1232 || m.IsEdns0() == nil || len(m.Answer) != 60 {
		t.Errorf("with EDNS an answer has %d bytes, truncated %v", m.Len(), m.Truncated)
	}
	q.IsEdns0().SetVersion(1)
	if m := s.Answer(q, true); m.Rcode != dns.RcodeBadVers {
		t.Errorf("version 1 is answered with %s", dns.RcodeToString[m.Rcode])
	}
}

func TestOtherQueries(t *testing.T) {
	s := zones(t)
	chaos := query("version.bind", dns.TypeTXT)
	chaos.Question[0].Qclass = dns.ClassCHAOS
	if m := s.Answer(chaos, true); m.Rcode != dns.RcodeRefused {
		t.Errorf("class CHAOS: %s", summary(m))
	}
	none := new(dns.Msg)
	if m := s.Answer(none, true); m.Rcode != dns.RcodeFormatError {
		t.Errorf("no question: %s", summary(m))
	}
}

func TestListen(t *testing.T) {
	s := zones(t)
	if err := s.Listen(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, network := range []string{"udp", "tcp"} {
		c := dns.Client{Net: network}
		m, _, err := c.ExchangeContext(t.Context(), query("many.example.org", dns.TypeA), s.Address())
		if err != nil {
			t.Fatal(err)
		}
		if truncated := network == "udp"; m.Truncated != truncated || m.Rcode != dns.RcodeSuccess {
			t.Errorf("%s: truncated is %v: %s", network, m.Truncated, dns.RcodeToString[m.Rcode])
		}
		update := query("www.example.org", dns.TypeA)
		update.Opcode = dns.OpcodeUpdate
		if m, _, err := c.ExchangeContext(t.Context(), update, s.Address()); err != nil || m.Rcode != dns.RcodeNotImplemented {
			t.Errorf("%s: an update is answered with %v, %v", network, m, err)
		}
	}
	transfer := new(dns.Transfer)
	envelopes, err := transfer.In(new(dns.Msg).SetAxfr("example.org."), s.Address())
	if err != nil {
		t.Fatal(err)
	}
	for e := range envelopes {
		if e.Error == nil {
			t.Errorf("a zone was transferred: %v", e.RR)
		}
	}
}

func TestListenRefuses(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "192.0.2.1:5353", "localhost", ":53", "127.0.0.1"} {
		if err := server.New().Listen(t.Context(), address); err == nil {
			t.Errorf("it listens on %s", address)
		}
	}
}

func TestABatchIsAllOrNothing(t *testing.T) {
	a := server.New().Account("x", false)
	apply(t, a, rec("a.example.org", "A", "192.0.2.1"))
	for _, bad := range []plan.Change{
		plan.Without(rec("z.example.org", "A", "192.0.2.1")), plan.Of(rec("a.example.org", "A", "192.0.2.2")), plan.Of(rec("y.example.org", "A", "not an address")),
	} {
		if err := a.Apply(t.Context(), []plan.Group{{plan.Of(rec("b.example.org", "A", "192.0.2.1")), bad}}); err == nil {
			t.Errorf("%s is carried out", bad)
		}
	}
	records, err := a.Records(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]record.Record{rec("a.example.org", "A", "192.0.2.1")}, records); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func FuzzAnswer(f *testing.F) {
	s := zones(f)
	for _, name := range []string{"www.example.org.", "any.wild.example.org.", "."} {
		packed, err := query(name, dns.TypeA).Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		q := new(dns.Msg)
		if q.Unpack(data) != nil {
			return
		}
		m := s.Answer(q, true)
		packed, err := m.Pack()
		if err == nil && len(packed) > 1232 {
			t.Errorf("the answer has %d bytes", len(packed))
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add("www.example.org", "SRV", "0 50 80 a.example.org")
	f.Add("a.example.org", "TXT", "\"x\\\"")
	f.Add("*.example.org", "CNAME", "\x00")
	f.Fuzz(func(t *testing.T, name, kind, target string) {
		if !record.ValidOwnershipName(name) {
			return
		}
		s := server.New()
		if s.Account("x", false).Apply(context.Background(), []plan.Group{{plan.Of(rec(name, kind, target))}}) != nil {
			return
		}
		m := s.Answer(query(name, dns.StringToType[kind]), false)
		if _, err := m.Pack(); err != nil {
			t.Errorf("%s %s %q cannot be sent: %v", name, kind, target, err)
		}
	})
}
