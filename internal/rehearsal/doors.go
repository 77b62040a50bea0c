package rehearsal

import (
	"fmt"
	"slices"

	"hearth/internal/standin/gateway/proxy"
)

// Door says where a gateway's port answers on this machine.
type Door struct {
	// Gateway is namespace/name.
	Gateway string `json:"gateway"`
	// Address is the gateway's own, Loopback the one that really answers, both
	// with their ports.
	Address  string `json:"address"`
	Loopback string `json:"loopback"`
}

// String tells the door in a line.
func (d Door) String() string {
	return fmt.Sprintf("gateway %s: %s answers at %s", d.Gateway, d.Address, d.Loopback)
}

// OnDoor calls f, one at a time, for each door that is open and that will be.
// f must be quick and not use the stage.
func (s *Stage) OnDoor(f func(Door)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onDoor = f
	for _, d := range s.doors {
		f(d)
	}
}

// openDoors notes where gateways answer now.
func (s *Stage) openDoors(mappings []proxy.Mapping) {
	var doors []Door
	for _, m := range mappings {
		doors = append(doors, Door{Gateway: m.Gateway, Address: fmt.Sprintf("%s:%d", m.Address, m.Port), Loopback: m.Loopback.String()})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range doors {
		if s.onDoor != nil && !slices.Contains(s.doors, d) {
			s.onDoor(d)
		}
	}
	s.doors = doors
}
