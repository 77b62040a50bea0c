package kubelet

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

// nodeSet knows the virtual nodes, and which pod addresses are taken. Its methods may be called concurrently.
type nodeSet struct {
	options Options
	assumed bool // nobody said what nodes there are
	cidr    netip.Prefix

	mu     sync.Mutex
	byName map[string]*machine
	order  []*machine
	added  chan struct{}
}

// machine is one virtual node.
type machine struct {
	object    *corev1.Node
	addresses *addresses
	devices   map[string]int // by driver
}

func newNodeSet(o Options, cidr netip.Prefix) (*nodeSet, error) {
	s := &nodeSet{options: o, cidr: cidr.Masked(), byName: map[string]*machine{}, added: make(chan struct{}, 1)}
	nodes := o.Nodes
	if len(nodes) == 0 {
		nodes, s.assumed = defaultNodes(), true
	}
	var names []string
	for _, n := range nodes {
		if err := s.add(n); err != nil {
			return nil, err
		}
		names = append(names, n.Name)
	}
	if s.assumed {
		o.Assumptions.Add(domain.AssumedNode, strings.Join(names, ", "), "nothing says which nodes the cluster has")
	}
	return s, nil
}

// errNoRoom says that no more nodes can be added.
var errNoRoom = errors.New("the pod range has no room for one more node")

// add makes one more node; keepNodes registers it.
func (s *nodeSet) add(n Node) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName[n.Name] != nil {
		return fmt.Errorf("there are two nodes of the name %s: rename one", n.Name)
	}
	number := len(s.order)
	prefix, ok := nodeRange(s.cidr, number)
	if !ok || number >= maxNodes {
		return fmt.Errorf("node %s: %w (%s)", n.Name, errNoRoom, s.cidr)
	}
	object, err := n.object(number, s.options.Version)
	if err != nil {
		return err
	}
	object.Spec.PodCIDR = prefix.String()
	object.Spec.PodCIDRs = []string{prefix.String()}
	m := &machine{object: object, addresses: newAddresses(prefix), devices: n.Devices}
	s.byName[n.Name] = m
	s.order = append(s.order, m)
	select {
	case s.added <- struct{}{}:
	default:
	}
	return nil
}

// has reports whether a node is one of ours.
func (s *nodeSet) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byName[name] != nil
}

// devices returns how many devices of each driver a node was given.
func (s *nodeSet) devices(name string) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.byName[name]; m != nil {
		return m.devices
	}
	return nil
}

// platform returns what images a node needs, such as "linux/amd64".
func (s *nodeSet) platform(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.byName[name]; m != nil {
		return m.object.Status.NodeInfo.OperatingSystem + "/" + m.object.Status.NodeInfo.Architecture
	}
	return ""
}

// hostIP returns a node's address.
func (s *nodeSet) hostIP(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.byName[name]; m != nil {
		return m.object.Status.Addresses[0].Address
	}
	return ""
}

// objects returns what is to be registered, in the order of addition.
func (s *nodeSet) objects() []*corev1.Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	var objects []*corev1.Node
	for _, m := range s.order {
		objects = append(objects, m.object.DeepCopy())
	}
	return objects
}

// takeAddress gives a pod an address on its node: the one it had, where that
// is set. Pods on the host's network have the host's.
func (s *nodeSet) takeAddress(pod *corev1.Pod) (string, error) {
	if pod.Spec.HostNetwork {
		return s.hostIP(pod.Spec.NodeName), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.byName[pod.Spec.NodeName]
	if m == nil {
		return "", fmt.Errorf("node %s is gone", pod.Spec.NodeName)
	}
	return m.addresses.take(pod.Status.PodIP)
}

// freeAddress takes back what takeAddress gave.
func (s *nodeSet) freeAddress(node, ip string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.byName[node]; m != nil {
		m.addresses.free(ip)
	}
}

// addresses hands out the addresses of a node's range, lowest first, going
// round so that a freed one is not used again at once.
type addresses struct {
	prefix netip.Prefix
	next   netip.Addr
	taken  map[netip.Addr]bool
}

func newAddresses(prefix netip.Prefix) *addresses {
	return &addresses{prefix: prefix, next: prefix.Addr().Next().Next(), taken: map[netip.Addr]bool{}}
}

func (a *addresses) take(wanted string) (string, error) {
	if ip, err := netip.ParseAddr(wanted); err == nil && a.prefix.Contains(ip) && !a.taken[ip] {
		a.taken[ip] = true
		return wanted, nil
	}
	first := a.prefix.Addr().Next() // the gateway's
	ip := a.next
	for range 1 << (32 - a.prefix.Bits()) {
		if !a.prefix.Contains(ip) || !a.prefix.Contains(ip.Next()) {
			ip = first.Next()
		}
		if !a.taken[ip] {
			a.taken[ip] = true
			a.next = ip.Next()
			return ip.String(), nil
		}
		ip = ip.Next()
	}
	return "", fmt.Errorf("no pod address is left in %s", a.prefix)
}

func (a *addresses) free(s string) {
	if ip, err := netip.ParseAddr(s); err == nil {
		delete(a.taken, ip)
	}
}

// nodeRange returns the n-th /24 of a range, or, where the range is smaller, an equal
// share for sixteen nodes.
func nodeRange(cidr netip.Prefix, n int) (netip.Prefix, bool) {
	bits := 24
	if cidr.Bits() > 20 {
		bits = min(cidr.Bits()+4, 30)
	}
	if n >= 1<<(bits-cidr.Bits()) {
		return netip.Prefix{}, false
	}
	b := cidr.Addr().As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(n) << (32 - bits)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), bits), true
}
