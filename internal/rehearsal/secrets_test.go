package rehearsal

import (
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// TestPanicsAreKeptInside holds what runs the reconcilers to what keeps the
// values of secrets out of crash dumps: a panic is recovered, and neither it nor
// anything else that is logged is written anywhere.
func TestPanicsAreKeptInside(t *testing.T) {
	mgr, err := newManager(&rest.Config{Host: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if recovers := mgr.GetControllerOptions().RecoverPanic; recovers == nil || !*recovers {
		t.Error("a panic of a reconciler ends the process, and prints what it panicked with")
	}
	if mgr.GetLogger().Enabled() {
		t.Error("the reconcilers' log is written")
	}
	if log.Log.Enabled() {
		t.Error("the log of what runs the reconcilers is written")
	}
}
