package integration_test

import (
	"testing"
	"time"

	"hearth/internal/kube/crds"
)

func TestQuickInstall(t *testing.T) {
	t0 := time.Now()
	if err := crds.Install(t.Context(), cluster(t).Config()); err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(t0))
	t.Log(namespace(t))
}
