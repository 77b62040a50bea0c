package embed

import (
	"net"
	"testing"
	"time"

	"hearth/internal/domain"
)

// TestDoor shuts a listener and opens it again.
func TestDoor(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := newDoor(listener)
	defer d.Close()
	go func() { // an echo
		for {
			conn, err := d.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 1)
				for {
					if _, err := conn.Read(buf); err != nil {
						return
					}
					conn.Write(buf)
				}
			}()
		}
	}()
	speak := func(conn net.Conn) error {
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		if _, err := conn.Write([]byte("x")); err != nil {
			return err
		}
		_, err := conn.Read(make([]byte, 1))
		return err
	}
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	before := dial()
	if err := speak(before); err != nil {
		t.Fatal(err)
	}
	d.set(true)
	if speak(before) == nil {
		t.Error("a connection outlived the shut door")
	}
	if speak(dial()) == nil {
		t.Error("a shut door let somebody in")
	}
	d.set(false)
	if err := speak(dial()); err != nil {
		t.Errorf("the open door let nobody in: %v", err)
	}
}

// TestDoorFollowsTheFault shuts it while the fault is on.
func TestDoorFollowsTheFault(t *testing.T) {
	var faults domain.Faults
	d := newDoor(nil)
	ctx := t.Context()
	go d.follow(ctx, &faults)
	is := func(want bool) {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		for {
			d.mu.Lock()
			shut := d.shut
			d.mu.Unlock()
			if shut == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("shut is %v", shut)
			}
			time.Sleep(time.Millisecond)
		}
	}
	down := domain.Fault{Kind: domain.FaultAPIServerDown}
	faults.Inject(down)
	is(true)
	faults.Lift(down)
	is(false)
}
