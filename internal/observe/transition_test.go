package observe

import (
	"fmt"
	"strings"
	"testing"

	"hearth/internal/domain"
)

// drawn writes steps as "A→b→C!": passed states in lower case, off-model edges
// marked.
func drawn(way []step) string {
	if len(way) == 0 {
		return ""
	}
	text := string(way[0].from)
	for _, s := range way {
		to := string(s.to)
		if s.passed {
			to = strings.ToLower(to)
		}
		text += "→" + to
		if s.offModel {
			text += "!"
		}
	}
	return text
}

func TestSteps(t *testing.T) {
	for _, test := range []struct {
		kind     string
		from, to domain.State
		proven   []domain.State
		want     string
	}{
		{"Kustomization", domain.Absent, "Idle", nil, "[*]→Idle"},
		{"Kustomization", domain.Absent, "Ready", nil, "[*]→idle→fetching→building→applying→Ready"},
		{"Kustomization", "Ready", "Fetching", nil, "Ready→idle→Fetching"},
		{"Kustomization", "Failed", "Ready", nil, "Failed→fetching→building→applying→Ready"},
		{"Kustomization", "Applying", "Failed", []domain.State{"Applying"}, "Applying→Failed"},
		{"Kustomization", "Building", "Failed", []domain.State{"Building"}, "Building→Failed!"},
		{"Kustomization", "Fetching", "Failed", []domain.State{"Building"}, "Fetching→building→Failed!"},
		{"Kustomization", "Ready", "Failed", []domain.State{"Applying"}, "Ready→idle→fetching→building→applying→Failed"},
		{"Kustomization", "Failed", "Idle", nil, "Failed→Idle!"},
		{"Kustomization", "Ready", domain.Absent, nil, "Ready→deleting→[*]"},
		{"Kustomization", "Failed", "Deleting", nil, "Failed→Deleting!"},
		{"HelmRelease", domain.Absent, "Ready", nil, "[*]→pending→reconciling→Ready"},
		{"HelmRelease", "Ready", "Failed", []domain.State{"Reconciling"}, "Ready→reconciling→Failed"},
		{"HelmRelease", "Pending", "Failed", []domain.State{"Pending"}, "Pending→Failed!"},
		{"HelmRelease", "Ready", "Pending", nil, "Ready→Pending!"},
		{"ExternalSecret", "Pending", "Ready", nil, "Pending→syncing→Ready"},
		{"ExternalSecret", "Ready", "Failed", []domain.State{"Syncing"}, "Ready→refreshing→Failed"},
		{"ExternalSecret", "Refreshing", "Failed", []domain.State{"Syncing"}, "Refreshing→Failed"},
		{"ExternalSecret", "Syncing", "Failed", []domain.State{"Syncing"}, "Syncing→Failed"},
		{"ExternalSecret", "Failed", "Ready", nil, "Failed→syncing→Ready"},
		{"Pod", "Pending", "Running", nil, "Pending→init→waitingsecrets→pullingimages→starting→Running"},
		{"Pod", "Init", "Failed", nil, "Init→waitingsecrets→Failed"},
		{"Pod", "Init", "Failed", []domain.State{"PullingImages"}, "Init→waitingsecrets→pullingimages→Failed"},
		{"Pod", "Starting", "CrashLoop", []domain.State{"Running"}, "Starting→running→CrashLoop"},
		{"Pod", "Init", "CrashLoop", nil, "Init→CrashLoop!"},
		{"Pod", "Running", "Failed", []domain.State{"Running", "CrashLoop"}, "Running→crashloop→Failed"},
		{"Pod", "CrashLoop", "Running", nil, "CrashLoop→starting→Running"},
		{"Pod", "PullingImages", "WaitingSecrets", nil, "PullingImages→WaitingSecrets!"},
		{"Pod", "Failed", "Running", nil, "Failed→pullingimages→starting→Running"},
		{"Pod", "Running", domain.Absent, nil, "Running→terminating→[*]"},
		{"Pod", "Pending", "Terminating", nil, "Pending→Terminating!"},
		{"Pod", "Running", "Running", nil, ""},
		{"HTTPRoute", "Pending", "Ready", nil, "Pending→Ready"},
	} {
		name := fmt.Sprintf("%s %s to %s %v", test.kind, test.from, test.to, test.proven)
		if got := drawn(steps(machine(test.kind), test.from, test.to, test.proven)); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, test.want)
		}
	}
}

// TestStepsNeverHideAnEdge holds for all pairs of states: every step is an edge
// of its machine, or marked as off-model.
func TestStepsNeverHideAnEdge(t *testing.T) {
	for _, m := range domain.Machines() {
		states := []domain.State{domain.Absent}
		for _, s := range m.States {
			states = append(states, s.State)
		}
		for _, from := range states {
			for _, to := range states {
				way := steps(m, from, to, nil)
				for _, s := range way {
					if m.Allows(s.from, s.to) == s.offModel {
						t.Errorf("%s: %s to %s goes %s", m.Name, from, to, drawn(way))
					}
				}
			}
		}
	}
}
