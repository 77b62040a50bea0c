package server_test

import (
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// BenchmarkQueries asks over UDP on loopback; clients and server share the
// machine. The figure to look at is answers/s.
func BenchmarkQueries(b *testing.B) {
	s := zones(b)
	if err := s.Listen(b.Context(), "127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	packed, err := query("app.example.org", dns.TypeA).Pack()
	if err != nil {
		b.Fatal(err)
	}
	var lost atomic.Int64
	b.SetParallelism(16)
	before := cpu(b)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("udp", s.Address())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		answer := make([]byte, 1500)
		for pb.Next() {
			if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
				b.Error(err)
				return
			}
			if _, err := conn.Write(packed); err != nil {
				b.Error(err)
				return
			}
			if _, err := conn.Read(answer); err != nil {
				lost.Add(1)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "answers/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/answer")
	b.ReportMetric(float64(lost.Load()), "lost")
}

// cpu returns the time that the process has worked.
func cpu(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkAnswer is the work for one answer, without the network.
func BenchmarkAnswer(b *testing.B) {
	s := zones(b)
	q := query("app.example.org", dns.TypeA)
	for b.Loop() {
		if _, err := s.Answer(q, true).Pack(); err != nil {
			b.Fatal(err)
		}
	}
}
