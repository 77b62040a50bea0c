package server

import (
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	// maxUDP bounds an answer by UDP, lest it be cut into fragments.
	maxUDP = 1232
	// maxAliases bounds how many aliases are followed.
	maxAliases = 8
	// maxTCPQueries bounds the queries of one connection.
	maxTCPQueries = 256
	tcpTimeout    = 5 * time.Second
)

// accept lets everything through that is a query by its header; the rest is
// answered by the library as the protocol asks.
func accept(h dns.Header) dns.MsgAcceptAction {
	const response = 1 << 15
	if h.Bits&response != 0 {
		return dns.MsgIgnore
	}
	if op := int(h.Bits>>11) & 0xF; op != dns.OpcodeQuery {
		return dns.MsgRejectNotImplemented
	}
	if h.Qdcount != 1 || h.Ancount > 1 || h.Nscount > 1 || h.Arcount > 2 {
		return dns.MsgReject
	}
	return dns.MsgAccept
}

// serve answers one query.
func (s *Server) serve(w dns.ResponseWriter, q *dns.Msg) {
	_ = w.WriteMsg(s.Answer(q, w.RemoteAddr().Network() == "udp")) // an error says that whoever asked is gone
}

// Answer returns the answer to a query, no longer than it may be by UDP.
func (s *Server) Answer(q *dns.Msg, udp bool) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	m.RecursionAvailable = false
	m.Compress = true
	size := dns.MinMsgSize
	view := s.inside.Load()
	if edns := q.IsEdns0(); edns != nil {
		size = min(max(int(edns.UDPSize()), dns.MinMsgSize), maxUDP)
		subnet := s.reply(m, edns)
		if subnet {
			view = s.outside.Load()
		}
		if edns.Version() != 0 {
			m.Rcode = dns.RcodeBadVers
			return m
		}
	}
	switch {
	case len(q.Question) != 1:
		m.Rcode = dns.RcodeFormatError
	default:
		view.answer(m, q.Question[0])
	}
	if udp {
		m.Truncate(size)
	}
	return m
}

// reply adds the EDNS part of an answer (RFC 6891), and reports whether the
// query was made for somebody outside (RFC 7871).
func (s *Server) reply(m *dns.Msg, asked *dns.OPT) (outside bool) {
	own := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
	own.SetUDPSize(maxUDP)
	for _, o := range asked.Option {
		subnet, ok := o.(*dns.EDNS0_SUBNET)
		if !ok {
			continue
		}
		address, ok := netip.AddrFromSlice(subnet.Address)
		address = address.Unmap()
		outside = ok && subnet.SourceNetmask > 0 && address.IsGlobalUnicast() && !address.IsPrivate()
		own.Option = append(own.Option, &dns.EDNS0_SUBNET{
			Code: dns.EDNS0SUBNET, Family: subnet.Family, SourceNetmask: subnet.SourceNetmask, SourceScope: subnet.SourceNetmask, Address: subnet.Address,
		})
		break
	}
	m.Extra = append(m.Extra, own)
	return outside
}

// answer fills an answer in.
func (z *zone) answer(m *dns.Msg, q dns.Question) {
	name := strings.ToLower(q.Name)
	apex := z.apexOf(name)
	if apex == "" || q.Qclass != dns.ClassINET || q.Qtype == dns.TypeAXFR || q.Qtype == dns.TypeIXFR {
		m.Rcode = dns.RcodeRefused
		return
	}
	m.Authoritative = true
	if q.Qtype == dns.TypeANY { // RFC 8482
		m.Answer = []dns.RR{&dns.HINFO{Hdr: header(q.Name, dns.TypeHINFO, negativeTTL), Cpu: "RFC8482"}}
		return
	}
	asked := q.Name
	for range maxAliases {
		n, exists := z.find(name, apex)
		if list := n[q.Qtype]; len(list) > 0 {
			m.Answer = append(m.Answer, named(list, asked)...)
			return
		}
		alias := n[dns.TypeCNAME]
		if len(alias) == 0 {
			if !exists {
				m.Rcode = dns.RcodeNameError
			}
			m.Ns = []dns.RR{z.apexes[apex]}
			return
		}
		m.Answer = append(m.Answer, named(alias, asked)...)
		asked = alias[0].(*dns.CNAME).Target
		name = strings.ToLower(asked)
		if apex = z.apexOf(name); apex == "" {
			return // the rest is somebody else's to say
		}
	}
}

// find returns the records of a name, from a wildcard where it has none of its
// own, and whether the name exists.
func (z *zone) find(name, apex string) (node, bool) {
	if n, ok := z.names[name]; ok {
		return n, true
	}
	for name != apex {
		_, name, _ = strings.Cut(name, ".")
		if _, ok := z.names[name]; ok {
			n, ok := z.names["*."+name]
			return n, ok
		}
	}
	return nil, false
}

// named returns records under the name that was asked for, which a wildcard's
// records do not have.
func named(list []dns.RR, name string) []dns.RR {
	if list[0].Header().Name == name {
		return list
	}
	renamed := make([]dns.RR, len(list))
	for i, rr := range list {
		renamed[i] = dns.Copy(rr)
		renamed[i].Header().Name = name
	}
	return renamed
}
