package proxy

import (
	"net"
	"sync"
)

// queue is a listener whose connections others accept.
type queue struct {
	address net.Addr
	conns   chan net.Conn
	done    chan struct{}
	end     func()
}

func newQueue(address net.Addr) *queue {
	q := &queue{address: address, conns: make(chan net.Conn), done: make(chan struct{})}
	q.end = sync.OnceFunc(func() { close(q.done) })
	return q
}

// put hands a connection over, or closes it when nobody takes it any more.
func (q *queue) put(conn net.Conn) {
	select {
	case q.conns <- conn:
	case <-q.done:
		_ = conn.Close()
	}
}

// Accept returns the next connection.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case conn := <-q.conns:
		return conn, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close lets nobody in any more.
func (q *queue) Close() error {
	q.end()
	return nil
}

// Addr returns the address of the real listener.
func (q *queue) Addr() net.Addr { return q.address }
