package embed

import (
	"context"
	"net"
	"sync"

	"hearth/internal/domain"
)

// door is the API server's listener, which a fault can shut: connections that
// are open end, and further ones are closed as soon as they are made, so that
// clients see what they see of a control plane whose node is gone.
type door struct {
	net.Listener

	mu   sync.Mutex
	shut bool
	open map[*visitor]bool
}

// visitor is one connection that the door let in.
type visitor struct {
	net.Conn
	door *door
}

func newDoor(listener net.Listener) *door {
	return &door{Listener: listener, open: map[*visitor]bool{}}
}

// Accept returns the next connection that may come in.
func (d *door) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if v := d.enter(conn); v != nil {
			return v, nil
		}
		conn.Close()
	}
}

func (d *door) enter(conn net.Conn) *visitor {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return nil
	}
	v := &visitor{conn, d}
	d.open[v] = true
	return v
}

// Close ends the connection.
func (v *visitor) Close() error {
	v.door.mu.Lock()
	delete(v.door.open, v)
	v.door.mu.Unlock()
	return v.Conn.Close()
}

// set shuts the door, or opens it again.
func (d *door) set(shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = shut
	if !shut {
		return
	}
	for v := range d.open {
		v.Conn.Close()
	}
	clear(d.open)
}

// follow shuts the door while the fault is on, until ctx ends.
func (d *door) follow(ctx context.Context, faults *domain.Faults) {
	changes, stop := faults.Changes()
	defer stop()
	for {
		d.set(faults.On(domain.FaultAPIServerDown))
		select {
		case <-ctx.Done():
			d.set(false)
			return
		case <-changes:
		}
	}
}
