package embed

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// readyInterval is how often /readyz is asked during the start. The server
// tells nobody when it turns ready, and a start takes about a second, so a
// longer interval would cost a good part of it.
const readyInterval = 20 * time.Millisecond

// ready returns once /readyz answers, or says which checks kept failing.
func ready(ctx context.Context, client rest.Interface) error {
	ticker := time.NewTicker(readyInterval)
	defer ticker.Stop()
	for {
		answer, err := client.Get().AbsPath("/readyz").Param("verbose", "").DoRaw(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%s)", context.Cause(ctx), failing(string(answer)))
		case <-ticker.C:
		}
	}
}

// failing lists the checks that a verbose answer of /readyz calls failed.
func failing(answer string) string {
	var failed []string
	for line := range strings.Lines(answer) {
		if check, ok := strings.CutPrefix(line, "[-]"); ok {
			failed = append(failed, strings.TrimSpace(check))
		}
	}
	if len(failed) == 0 {
		return "no answer from /readyz"
	}
	return strings.Join(failed, ", ")
}
