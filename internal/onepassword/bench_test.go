package onepassword_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"hearth/internal/onepassword"
)

// BenchmarkMemory tells what a secret of two fields costs in a server that
// holds it and in a client that has read it over HTTP.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var vault strings.Builder
			vault.WriteString("vaults:\n- name: Kubernetes\n  items:\n")
			for i := range n {
				fmt.Fprintf(&vault, "  - {title: item-%d, fields: [{label: A, value: a%d}, {label: B, value: b}]}\n", i, i)
			}
			file := writeVault(b, vault.String())
			for b.Loop() {
				before := inUse()
				s, url := serve(b, onepassword.ServerOptions{File: file, Token: "c4n4ry-connect-token"})
				c := newClient(b, url, s.Token(), "Kubernetes")
				since := time.Now()
				for i := range n {
					if _, err := c.Item(b.Context(), fmt.Sprintf("item-%d", i), since); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric((inUse()-before)/float64(n), "B/secret")
				runtime.KeepAlive(s)
				runtime.KeepAlive(c)
			}
		})
	}
}

// inUse returns the bytes of the heap that are in use.
func inUse() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
