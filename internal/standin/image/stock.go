package image

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"hearth/internal/domain"
)

// step is what a pull is called where durations are drawn.
const step = "pull"

// slowFactor is how many times the longest usual pull a slow one takes.
const slowFactor = 5

// Stock knows which node has, or is pulling, which image, and which nodes
// serve their peers. Its methods may be called concurrently.
type Stock struct {
	pace domain.Pace
	seed uint64

	mu     sync.Mutex
	nodes  map[string]map[string]*copied
	served map[string]map[types.UID]bool
}

// copied is an image on a node, or on its way there.
type copied struct {
	until time.Time
	slow  bool
}

// Pull says how a node comes by an image.
type Pull struct {
	// Until is when the image is on the node.
	Until time.Time
	// Takes is how long that is from now on, at real pace.
	Takes time.Duration
}

// NewStock returns the stock of nodes that have no image yet.
func NewStock(pace domain.Pace, seed uint64) *Stock {
	return &Stock{pace: pace, seed: seed, nodes: map[string]map[string]*copied{}, served: map[string]map[types.UID]bool{}}
}

// Has reports whether a node has an image.
func (s *Stock) Has(node string, r Reference, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.nodes[node][r.String()]
	return c != nil && !c.until.After(now)
}

// Pulling reports whether a node is getting an image, for whatever pod.
func (s *Stock) Pulling(node string, r Reference, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.nodes[node][r.String()]
	return c != nil && c.until.After(now)
}

// Put says that a node has an image.
func (s *Stock) Put(node string, r Reference, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nodes[node][r.String()] == nil {
		s.put(node, r, &copied{until: now})
	}
}

func (s *Stock) put(node string, r Reference, c *copied) {
	if s.nodes[node] == nil {
		s.nodes[node] = map[string]*copied{}
	}
	s.nodes[node][r.String()] = c
}

// Serve says that a pod of a mirror such as Spegel runs on a node, so that
// images are had from, and given to, other such nodes; Unserve, that it ended.
func (s *Stock) Serve(node string, pod types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.served[node] == nil {
		s.served[node] = map[types.UID]bool{}
	}
	s.served[node][pod] = true
}

// Unserve says that a pod of a mirror has ended; any other pod is none.
func (s *Stock) Unserve(node string, pod types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.served[node], pod)
}

// Peer reports whether a node can have an image from another one.
func (s *Stock) Peer(node string, r Reference, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peer(node, r, now)
}

func (s *Stock) peer(node string, r Reference, now time.Time) bool {
	if len(s.served[node]) == 0 {
		return false
	}
	for other, images := range s.nodes {
		c := images[r.String()]
		if other != node && c != nil && !c.until.After(now) && len(s.served[other]) > 0 {
			return true
		}
	}
	return false
}

// Pull gets an image to a node: another pod's pull is joined; otherwise it
// comes from a peer, or from the registry. Each node pulls an image once. A
// pull that was slow goes on at the usual speed once it is so no more.
func (s *Stock) Pull(node string, r Reference, slow bool, now time.Time) Pull {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.nodes[node][r.String()]
	switch {
	case c == nil:
		takes := s.takes(node, r, slow, now)
		played := s.pace.Scale
		if slow {
			played = s.pace.Slow
		}
		c = &copied{until: now.Add(played(takes)), slow: slow}
		s.put(node, r, c)
		return Pull{Until: c.until, Takes: takes}
	case c.slow && !slow:
		c.slow = false
		if usual := now.Add(s.pace.Scale(s.takes(node, r, false, now))); usual.Before(c.until) {
			c.until = usual
		}
	}
	left := max(c.until.Sub(now), 0)
	return Pull{Until: c.until, Takes: time.Duration(float64(left) * float64(s.pace))}
}

func (s *Stock) takes(node string, r Reference, slow bool, now time.Time) time.Duration {
	operation := domain.ImagePullUncached
	if s.peer(node, r, now) {
		operation = domain.ImagePullCached
	}
	if slow {
		return slowFactor * operation.Typical().Max
	}
	return operation.Typical().Draw(s.seed, step+"/"+r.Given)
}
