package rehearsal

import (
	"sync"
	"time"

	"hearth/internal/domain"
)

// simulated keeps how long the stand-ins said that things take at real pace.
type simulated struct {
	mu   sync.Mutex
	pods map[domain.Ref]time.Duration
}

// add notes one step of a pod.
func (s *simulated) add(pod domain.Ref, _ string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pods == nil {
		s.pods = map[domain.Ref]time.Duration{}
	}
	s.pods[pod] += d
}

// of returns how long a pod took altogether.
func (s *simulated) of(pod domain.Ref) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pods[pod]
}

// forget drops a pod that is gone.
func (s *simulated) forget(pod domain.Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pods, pod)
}
