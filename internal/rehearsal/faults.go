package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"hearth/internal/domain"
)

// scheduled lets what is edited by hand begin once all has settled, where
// nobody says when: before that there is nothing to edit.
func scheduled(faults []domain.Fault) []domain.Fault {
	faults = slices.Clone(faults)
	for i, f := range faults {
		if f.Kind == domain.FaultKubectlEdit && f.After == 0 {
			faults[i].Settled = true
		}
	}
	return faults
}

// atOnce reports whether a fault is there before anything else is.
func atOnce(f domain.Fault) bool { return !f.Settled && f.After == 0 }

// inject lets a fault begin. What cannot be switched but has to be done, such
// as an edit, is done here.
func (s *Stage) inject(ctx context.Context, f domain.Fault) error {
	if err := errors.Join(s.doByHand(ctx, f), s.spoilt.spoil(f)); err != nil {
		return fmt.Errorf("fault %s: %w", f, err)
	}
	s.faults.Inject(f)
	s.noteBegun(f)
	s.nudge(f)
	return nil
}

// lift ends a fault. What was edited by hand is left to whoever corrects it.
func (s *Stage) lift(f domain.Fault) error {
	s.faults.Lift(f)
	s.noteLifted(f)
	if err := errors.Join(s.undoByHand(f), s.spoilt.mend(f)); err != nil {
		return fmt.Errorf("lift the fault %s: %w", f, err)
	}
	s.nudge(f)
	return nil
}

// nudge lets those notice a fault who would look only after hours: a rehearsal
// does not wait for the next refresh or fetch.
func (s *Stage) nudge(f domain.Fault) {
	s.gate.Touch()
	switch f.Kind {
	case domain.FaultConnectDown, domain.FaultConnectSlow, domain.FaultConnectGarbage, domain.FaultConnectRateLimited,
		domain.FaultTokenExpired, domain.FaultItemMissing, domain.FaultFieldMissing:
		s.engine.trigger.Refresh()
	case domain.FaultGitDown, domain.FaultSourceRefused, domain.FaultEdit, domain.FaultOverlay:
		s.engine.refresh()
	}
}

// errUnreachable is what a fault makes of a server.
var errUnreachable = errors.New("connect: connection refused")

// reachable says whether a chart may be fetched: a registry that a fault has
// taken down answers as it would in life.
func (s *Stage) reachable(chartURL string) error {
	host, chart := hostOf(chartURL), strings.TrimPrefix(chartURL, "oci://")
	switch {
	case s.faults.On(domain.FaultRegistryDown, host):
		return fmt.Errorf("dial tcp %s:443: %w", host, errUnreachable)
	case s.faults.On(domain.FaultRegistryRateLimited, host):
		return fmt.Errorf("%s: unexpected status code 429 Too Many Requests: TOOMANYREQUESTS: too many requests", host)
	case s.faults.On(domain.FaultSourceRefused, host, chart):
		return fmt.Errorf("GET https://%s/v2/: unexpected status code 401 Unauthorized: authentication required", host)
	case s.faults.On(domain.FaultChartMissing, chart, path.Base(chart)):
		return fmt.Errorf("%s: not found", chart)
	}
	return nil
}

// gitReachable says the same of a Git repository.
func (s *Stage) gitReachable(address string) error {
	switch {
	case s.faults.On(domain.FaultGitDown):
		return fmt.Errorf("unable to clone '%s': dial tcp: %w", address, errUnreachable)
	case s.faults.On(domain.FaultSourceRefused, hostOf(address)):
		return fmt.Errorf("unable to clone '%s': authentication required", address)
	}
	return nil
}

// hostOf returns the server that an address names, also in the short form that
// Git knows: git@HOST:PATH. What names none is its own.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Hostname()
	}
	if user, rest, ok := strings.Cut(address, "@"); ok && !strings.Contains(user, "/") {
		host, _, _ := strings.Cut(rest, ":")
		return host
	}
	return address
}
