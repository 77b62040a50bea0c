package health

import (
	"context"
	"errors"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"hearth/internal/kube/objects"
)

func state(name string, s status.Status) State {
	key := objects.Key{}
	key.Kind, key.Namespace, key.Name = "Deployment", "apps", name
	return State{key, Result{Status: s}}
}

func TestReport(t *testing.T) {
	current, failed, going := state("a", status.CurrentStatus), state("b", status.FailedStatus), state("c", status.InProgressStatus)
	for name, test := range map[string]struct {
		report            Report
		healthy, hopeless bool
	}{
		"nothing asked":           {nil, true, false},
		"all current":             {Report{current}, true, false},
		"one failed":              {Report{current, failed}, false, true},
		"one failed, one goes on": {Report{failed, going}, false, false},
		"one goes on":             {Report{current, going}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.report.Healthy(); got != test.healthy {
				t.Errorf("Healthy is %t", got)
			}
			if got := test.report.Hopeless(); got != test.hopeless {
				t.Errorf("Hopeless is %t", got)
			}
		})
	}
}

func TestNotReadyError(t *testing.T) {
	report := Report{state("a", status.CurrentStatus), state("b", status.InProgressStatus), state("c", status.FailedStatus)}
	err := NewNotReadyError(report, context.DeadlineExceeded)
	if want := "timeout waiting for: [Deployment/apps/b status: 'InProgress', Deployment/apps/c status: 'Failed']"; err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error("the deadline is not among its causes")
	}
	if err.Key.Name != "c" {
		t.Errorf("it is about %s, want the failed one", err.Key)
	}
	early := NewNotReadyError(report[2:], nil)
	if want := "failed early due to stalled resources: [Deployment/apps/c status: 'Failed']"; early.Error() != want {
		t.Errorf("got %s, want %s", early, want)
	}
}
