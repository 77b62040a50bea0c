package embed

import (
	"fmt"
	"testing"
	"time"

	"hearth/internal/kube"
)

// BenchmarkStart measures a start, from the call until /readyz answers. The
// tests' own control plane runs beside it, at rest.
func BenchmarkStart(b *testing.B) {
	for _, openAPI := range []bool{true, false} {
		for _, persistent := range []bool{false, true} {
			b.Run(fmt.Sprintf("OpenAPI=%t/StateDir=%t", openAPI, persistent), func(b *testing.B) {
				var toReady, toStop time.Duration
				for b.Loop() {
					o := kube.Options{OpenAPI: openAPI}
					if persistent {
						o.StateDir = b.TempDir()
					}
					began := time.Now()
					c, err := Starter{}.Start(b.Context(), o)
					if err != nil {
						b.Fatal(err)
					}
					toReady += c.ReadyAt().Sub(began)
					began = time.Now()
					stop(b, c)
					toStop += time.Since(began)
				}
				b.ReportMetric(toReady.Seconds()/float64(b.N), "s/ready")
				b.ReportMetric(toStop.Seconds()/float64(b.N), "s/stop")
			})
		}
	}
}
