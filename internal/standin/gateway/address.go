package gateway

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// addressAnnotations are how owners ask for addresses of the load balancers
// that homelabs use; each holds one or more, separated by commas.
var addressAnnotations = []string{
	"lbipam.cilium.io/ips",
	"io.cilium/lb-ipam-ips",
	"metallb.io/loadBalancerIPs",
	"metallb.universe.tf/loadBalancerIPs",
	"kube-vip.io/loadbalancerIPs",
}

// askedFor returns the addresses that annotations ask for.
func askedFor(annotations map[string]string) []string {
	for _, name := range addressAnnotations {
		var list []string
		for _, s := range strings.Split(annotations[name], ",") {
			if ip, err := netip.ParseAddr(strings.TrimSpace(s)); err == nil {
				list = append(list, ip.String())
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// book knows who has which address. Its methods may be called concurrently.
type book struct {
	mu    sync.Mutex
	owner map[string]string // by address
	has   map[string]string // by owner
}

func newBook() *book { return &book{owner: map[string]string{}, has: map[string]string{}} }

// keep notes that an owner has an address, from now on or from an earlier run.
func (b *book) keep(owner, address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(owner)
	b.owner[address], b.has[owner] = owner, address
}

// free takes an owner's address back.
func (b *book) free(owner string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(owner)
}

// owns reports whether an owner has an address.
func (b *book) owns(owner string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.has[owner] != ""
}

func (b *book) forget(owner string) {
	if address, ok := b.has[owner]; ok {
		delete(b.has, owner)
		if b.owner[address] == owner {
			delete(b.owner, address)
		}
	}
}

// take gives an owner an address of the first range that has one left: the one
// that its name leads to, or the next one that is free. "" means that all are
// taken.
func (b *book) take(owner string, ranges []addressRange) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if address, ok := b.has[owner]; ok && slices.ContainsFunc(ranges, func(r addressRange) bool { return r.contains(address) }) {
		return address
	}
	hash := fnv.New32a()
	hash.Write([]byte(owner))
	for _, r := range ranges {
		size := r.size()
		for i := range size {
			address := r.at((hash.Sum32()%size + i) % size)
			if b.owner[address] == "" {
				b.forget(owner)
				b.owner[address], b.has[owner] = owner, address
				return address
			}
		}
	}
	return ""
}

// addressRange is a range of IPv4 addresses, both ends included.
type addressRange struct{ first, last uint32 }

// prefixRange returns the addresses of an IPv4 prefix, without the first and
// the last where it has more than two.
func prefixRange(p netip.Prefix) (addressRange, bool) {
	if !p.IsValid() || !p.Addr().Is4() {
		return addressRange{}, false
	}
	first := number(p.Masked().Addr())
	last := first + uint32(uint64(1)<<(32-p.Bits())-1)
	if last-first > 1 {
		return addressRange{first + 1, last - 1}, true
	}
	return addressRange{first, last}, true
}

// maxRange bounds how many addresses of a range are used.
const maxRange = 1 << 16

func (r addressRange) size() uint32 { return min(r.last-r.first, maxRange-1) + 1 }

func (r addressRange) at(i uint32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], r.first+i)
	return netip.AddrFrom4(b).String()
}

func (r addressRange) contains(s string) bool {
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Is4() && number(ip) >= r.first && number(ip) <= r.last
}

func number(ip netip.Addr) uint32 {
	b := ip.As4()
	return binary.BigEndian.Uint32(b[:])
}
