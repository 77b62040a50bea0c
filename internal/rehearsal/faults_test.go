package rehearsal

import (
	"strings"
	"testing"

	"hearth/internal/domain"
)

// TestRefusedSources asks for Git and charts at servers that refuse the credentials.
func TestRefusedSources(t *testing.T) {
	s := &Stage{faults: &domain.Faults{}}
	refused := domain.Fault{Kind: domain.FaultSourceRefused, Which: "git.example.com"}
	s.faults.Inject(refused)
	for address, want := range map[string]bool{
		"https://git.example.com/home.git": true, "ssh://git@git.example.com:22/home.git": true, "git@git.example.com:me/home.git": true,
		"https://example.com/home.git": false, "git@example.com:git.example.com/home.git": false,
	} {
		if err := s.gitReachable(address); (err != nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := s.reachable("oci://git.example.com/charts/app"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("the chart: %v", err)
	}
	s.faults.Lift(refused)
	s.faults.Inject(domain.Fault{Kind: domain.FaultSourceRefused, Which: "ghcr.io/charts/app"})
	if s.reachable("oci://ghcr.io/charts/app") == nil || s.reachable("oci://ghcr.io/charts/other") != nil {
		t.Error("a chart by its name")
	}
}
