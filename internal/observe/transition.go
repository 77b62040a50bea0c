package observe

import (
	"slices"
	"time"

	"hearth/internal/domain"
)

// Transition is one step of an object from a state to the next.
type Transition struct {
	domain.Ref
	// At is when it was observed.
	At       time.Time
	From, To domain.State
	// Trigger is what the domain's machine says brings it about; empty where
	// the machine has no such edge.
	Trigger string
	// OffModel says that the machine does not allow it.
	OffModel bool
	// Passed says that the state it leads to was not seen itself: the object
	// was in a later one when it was next observed.
	Passed bool
	// Lasted is how long the object was in the state that it left; zero where
	// that is not known, or where that state was passed unseen.
	Lasted time.Duration
	// Message is the object's message in the state that was seen.
	Message string
}

// step is an edge on the way from one observed state to the next.
type step struct {
	from, to         domain.State
	passed, offModel bool
}

// transient reports whether objects only pass through a state: nothing has
// arrived there, failed or ended.
func transient(m *domain.Machine, s domain.State) bool {
	info, known := m.Info(s)
	switch {
	case !known || info.Failed:
		return false
	case info.Terminal: // only the object's end lies behind it
		return m.Allows(s, domain.Absent)
	case info.Ready:
		return m.Kind == kindExternalSecret && s != domain.SecretReady
	}
	return true
}

// steps finds the way from one observed state to the next: through the states
// that the object proves, in between through transient ones only. It is empty
// where nothing happened.
func steps(m *domain.Machine, from, to domain.State, proven []domain.State) []step {
	if from == to {
		return nil
	}
	if m == nil {
		return []step{{from: from, to: to}}
	}
	i := lastIndex(proven, from)
	proven = proven[i+1:]
	var way []step
	at, proof := from, i >= 0
	for _, s := range proven {
		if between, found := shortest(m, at, s); found {
			way = append(way, passing(at, append(between, s))...)
			at, proof = s, true
		}
	}
	if proof {
		return append(way, direct(m, at, to))
	}
	between, found := shortest(m, at, to)
	if !found {
		return append(way, direct(m, at, to))
	}
	way = append(way, passing(at, between)...)
	if len(between) > 0 {
		at = between[len(between)-1]
	}
	return append(way, step{from: at, to: to})
}

func direct(m *domain.Machine, from, to domain.State) step {
	return step{from: from, to: to, offModel: !m.Allows(from, to)}
}

func passing(from domain.State, through []domain.State) []step {
	var way []step
	for _, s := range through {
		way = append(way, step{from: from, to: s, passed: true})
		from = s
	}
	return way
}

// shortest returns the transient states on the shortest way between two
// states. It returns none where an edge joins them, or where several ways are
// equally short and nothing says which was taken; found is false where no way
// exists.
func shortest(m *domain.Machine, from, to domain.State) (between []domain.State, found bool) {
	if m.Allows(from, to) {
		return nil, true
	}
	ways := [][]domain.State{{}}
	for range m.States {
		var longer, arrived [][]domain.State
		for _, way := range ways {
			at := from
			if len(way) > 0 {
				at = way[len(way)-1]
			}
			for _, next := range m.States {
				s := next.State
				if s == from || slices.Contains(way, s) || !transient(m, s) || !m.Allows(at, s) {
					continue
				}
				through := append(slices.Clone(way), s)
				longer = append(longer, through)
				if m.Allows(s, to) {
					arrived = append(arrived, through)
				}
			}
		}
		if len(arrived) == 1 {
			return arrived[0], true
		}
		if len(arrived) > 1 {
			return nil, true
		}
		ways = longer
	}
	return nil, false
}

// cycle returns the steps of an object that went round its machine between two
// observations and came back to where it was.
func cycle(kind string, s domain.State, changed bool) []step {
	var through []domain.State
	switch {
	case kind == kindKustomization && s == domain.KustomizationReady:
		through = []domain.State{domain.KustomizationIdle, domain.KustomizationFetching, domain.KustomizationBuilding, domain.KustomizationApplying}
	case kind == kindHelmRelease && (s == domain.ReleaseReady || s == domain.ReleaseFailed):
		through = []domain.State{domain.ReleaseReconciling}
	case kind == kindExternalSecret && s == domain.SecretReady && changed:
		through = []domain.State{domain.SecretRefreshing, domain.SecretUpdated}
	case kind == kindExternalSecret && s == domain.SecretReady:
		through = []domain.State{domain.SecretRefreshing}
	case kind == kindPod && s == domain.PodRunning:
		through = []domain.State{domain.PodCrashLoop, domain.PodStarting}
	case kind == kindPod && s == domain.PodCrashLoop:
		through = []domain.State{domain.PodStarting, domain.PodRunning}
	default:
		return nil
	}
	way := passing(s, through)
	return append(way, step{from: through[len(through)-1], to: s})
}

// trigger returns what brings an edge about, as the machine has it.
func trigger(m *domain.Machine, from, to domain.State) string {
	if m == nil {
		return ""
	}
	for _, t := range m.Transitions {
		if t.From == from && t.To == to {
			return t.Trigger
		}
	}
	return ""
}

func lastIndex(list []domain.State, s domain.State) int {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i] == s {
			return i
		}
	}
	return -1
}
