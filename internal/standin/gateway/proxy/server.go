package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Server listens for gateways. Its methods may be called concurrently; the
// zero value is ready.
type Server struct {
	mu     sync.Mutex
	ports  map[portKey]*port
	ending sync.WaitGroup // of ports that are closed
	closed bool
}

type portKey struct {
	gateway   string
	number    int32
	encrypted bool
}

// Mapping says where on this machine a gateway's port answers.
type Mapping struct {
	Gateway  string
	Address  netip.Addr // the gateway's own
	Port     int32
	Loopback netip.AddrPort
}

// Apply makes the gateways be those that are given: it opens the ports that
// they need, hands them their listeners, and closes all others. It returns what
// could not be opened; the rest is open.
func (s *Server) Apply(gateways []Gateway) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("the gateways' proxy has ended")
	}
	if s.ports == nil {
		s.ports = map[portKey]*port{}
	}
	wanted := settings(gateways)
	for key, p := range s.ports {
		if w, ok := wanted[key]; !ok || w.address != p.address {
			s.end(key, p)
		}
	}
	var errs []error
	for _, key := range sortedKeys(wanted) {
		w := wanted[key]
		p, ok := s.ports[key]
		if !ok {
			listener, err := listen(w.address, key.number)
			if err != nil {
				errs = append(errs, fmt.Errorf("listen for port %d of the gateway %s: %w", key.number, key.gateway, err))
				continue
			}
			p = newPort(key, w.address, listener)
			p.setting.Store(w)
			s.ports[key] = p
			p.start()
			continue
		}
		p.setting.Store(w)
	}
	return errors.Join(errs...)
}

func (s *Server) end(key portKey, p *port) {
	delete(s.ports, key)
	p.stopAccepting()
	s.ending.Go(p.finish)
}

// Mappings returns where the open ports answer, in the order of their gateways.
func (s *Server) Mappings() []Mapping {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Mapping
	for key, p := range s.ports {
		list = append(list, Mapping{Gateway: key.gateway, Address: p.address, Port: key.number, Loopback: p.loopback()})
	}
	slices.SortFunc(list, func(a, b Mapping) int {
		return cmp.Or(strings.Compare(a.Gateway, b.Gateway), cmp.Compare(a.Port, b.Port))
	})
	return list
}

// Close closes all ports, and returns when the requests under way have ended or
// were given time to.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for key, p := range s.ports {
		s.end(key, p)
	}
	s.mu.Unlock()
	s.ending.Wait()
}

// setting is what a port serves; it never changes.
type setting struct {
	gateway   string
	address   netip.Addr
	listeners []*Listener // the most specific host names first
}

func settings(gateways []Gateway) map[portKey]*setting {
	all := map[portKey]*setting{}
	for _, g := range gateways {
		for _, l := range g.Listeners {
			key := portKey{g.Name, l.Port, l.Protocol.encrypted()}
			if all[key] == nil {
				all[key] = &setting{gateway: g.Name, address: g.Address}
			}
			l.config = l.tlsConfig()
			all[key].listeners = append(all[key].listeners, &l)
		}
	}
	for _, s := range all {
		slices.SortStableFunc(s.listeners, func(a, b *Listener) int { return compareListeners(a, b) })
	}
	return all
}

func sortedKeys(m map[portKey]*setting) []portKey {
	var keys []portKey
	for key := range m {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b portKey) int {
		return cmp.Or(strings.Compare(a.gateway, b.gateway), cmp.Compare(a.number, b.number))
	})
	return keys
}

// listen opens a port on loopback for one of a gateway: the same number at the
// address that has the gateway's last three bytes, where the system lets us;
// else the number and 8000; else a free one.
func listen(address netip.Addr, number int32) (net.Listener, error) {
	own := Loopback(address)
	tries := []netip.AddrPort{
		netip.AddrPortFrom(own, uint16(number)),
		netip.AddrPortFrom(own, uint16(number)+8000),
		netip.AddrPortFrom(own, 0),
		netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0), // systems that have only the one address
	}
	var err error
	for _, try := range tries {
		var l net.Listener
		if l, err = net.Listen("tcp4", try.String()); err == nil {
			return l, nil
		}
	}
	return nil, err
}

// Loopback returns the loopback address for a gateway's address: 127 and the
// last three bytes of it.
func Loopback(address netip.Addr) netip.Addr {
	b := address.AsSlice()
	if len(b) < 4 {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	b = b[len(b)-3:]
	return netip.AddrFrom4([4]byte{127, b[0], b[1], b[2]})
}
