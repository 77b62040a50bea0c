// Package server is a small authoritative DNS server, and plays the accounts at
// DNS providers whose records it answers with.
//
// A homelab often has two providers for the same domain: a public one, such as
// Cloudflare, and the router or resolver at home. The server stands for both.
// Whoever asks is taken to be at home: names that the home's own provider has
// are answered from there, all others from the public one. A query that carries
// a public address as EDNS client subnet (dig +subnet=8.8.8.8) is answered as
// somebody outside would be.
//
// It answers by UDP and TCP, follows aliases inside its zones, synthesizes from
// wildcards (RFC 4592), says NXDOMAIN or no data with the zone's SOA (RFC 2308),
// truncates what is too long for UDP, and refuses zone transfers and names of
// other zones. It signs nothing. Cloudflare's proxy is not played: a proxied
// name is answered with what it leads to.
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"

	"hearth/internal/engine/dns/record"
)

// Server answers for the records of its accounts. Its methods may be called
// concurrently.
type Server struct {
	inside, outside atomic.Pointer[zone]

	mu       sync.Mutex
	accounts []*Account
	serial   uint32
	servers  []*dns.Server
	address  string
}

// New returns a server without accounts, which does not listen yet.
func New() *Server {
	s := &Server{}
	s.publish()
	return s
}

// Account returns the account at a provider, which is opened where there was
// none. Inside says that only those at home ask this provider.
func (s *Server) Account(name string, inside bool) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if a.name == name && a.inside == inside {
			return a
		}
	}
	a := &Account{server: s, name: name, inside: inside, records: map[record.Key]record.Record{}}
	s.accounts = append(s.accounts, a)
	return a
}

// Accounts returns the accounts by the order of their names.
func (s *Server) Accounts() []*Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.accounts)
	slices.SortFunc(list, func(a, b *Account) int { return compareNames(a, b) })
	return list
}

func compareNames(a, b *Account) int {
	switch {
	case a.name < b.name:
		return -1
	case a.name > b.name:
		return 1
	}
	return 0
}

// publish lets queries see what the accounts have now.
func (s *Server) publish() {
	s.serial++
	var home, world []record.Record
	var homeDomains, worldDomains []string
	ordered := slices.Clone(s.accounts)
	slices.SortFunc(ordered, compareNames)
	for _, a := range ordered {
		if a.inside {
			home, homeDomains = append(home, a.list()...), append(homeDomains, a.domains...)
		} else {
			world, worldDomains = append(world, a.list()...), append(worldDomains, a.domains...)
		}
	}
	s.outside.Store(newZone(s.serial, slices.Clone(worldDomains), world))
	s.inside.Store(newZone(s.serial, slices.Concat(homeDomains, worldDomains), home, world))
}

// CheckAddress refuses addresses that are not on loopback.
func CheckAddress(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%q is no address such as 127.0.0.1:5353", address)
	}
	if !at.Addr().IsLoopback() {
		return fmt.Errorf("%s is not on loopback: the DNS server answers this machine only", address)
	}
	return nil
}

// Listen answers on a loopback address until the context ends or Close is
// called. Port 0 takes a free one, the same for UDP and TCP.
func (s *Server) Listen(ctx context.Context, address string) error {
	if err := CheckAddress(address); err != nil {
		return err
	}
	tcp, udp, err := listen(ctx, address)
	if err != nil {
		return fmt.Errorf("answer DNS queries on %s: %w", address, err)
	}
	answer := dns.HandlerFunc(s.serve)
	s.mu.Lock()
	s.address = tcp.Addr().String()
	s.servers = []*dns.Server{
		{Listener: tcp, Handler: answer, MaxTCPQueries: maxTCPQueries, ReadTimeout: tcpTimeout, WriteTimeout: tcpTimeout, MsgAcceptFunc: accept},
		{PacketConn: udp, Handler: answer, UDPSize: maxUDP, MsgAcceptFunc: accept},
	}
	servers := s.servers
	s.mu.Unlock()
	for _, one := range servers {
		started := make(chan struct{})
		one.NotifyStartedFunc = sync.OnceFunc(func() { close(started) })
		failed := make(chan error, 1)
		go func() { failed <- one.ActivateAndServe() }()
		select {
		case <-started:
		case err := <-failed:
			return errors.Join(fmt.Errorf("answer DNS queries on %s: %w", address, err), s.Close())
		}
	}
	return nil
}

// tries bounds how often a port is sought that is free for both.
const tries = 20

func listen(ctx context.Context, address string) (net.Listener, net.PacketConn, error) {
	var config net.ListenConfig
	var last error
	for range tries {
		tcp, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, nil, err
		}
		udp, err := config.ListenPacket(ctx, "udp", tcp.Addr().String())
		if err == nil {
			return bounded(tcp), udp, nil
		}
		last = errors.Join(err, tcp.Close())
		if at := netip.MustParseAddrPort(address); at.Port() != 0 {
			break
		}
	}
	return nil, nil, last
}

// Address returns where queries are answered, or "".
func (s *Server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// Close stops answering. It may be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	servers := s.servers
	s.servers, s.address = nil, ""
	s.mu.Unlock()
	var errs []error
	for _, one := range servers {
		errs = append(errs, one.Shutdown())
	}
	return errors.Join(errs...)
}
