package rehearsal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/apis/meta"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
)

// ChaosRound is one fault of a chaos, and what became of it.
type ChaosRound struct {
	Seed  uint64 `json:"seed"`
	Fault string `json:"fault"`
	// Down is what was not ready while the fault was on.
	Down []Down `json:"down"`
	// Person is what came back only after somebody had put it right, as the
	// model says: releases that are out of retries.
	Person []domain.Ref `json:"person"`
	// Broken is what did not come back; empty where the homelab survived.
	Broken []Down `json:"broken"`
	// BackSeconds is how long it took to come back.
	BackSeconds float64 `json:"backSeconds"`
}

// Survived reports whether everything came back.
func (r ChaosRound) Survived() bool { return len(r.Broken) == 0 }

// chaosFaults is how many faults a seed brings, one after another.
const chaosFaults = 3

// Chaos lets random faults happen to the homelab, one after another, and tells
// of each whether the homelab came back by itself once it was lifted. The same
// seeds bring the same faults. It ends with the first that it did not come
// back from, which is no error: errors say that the stage could not be opened,
// or that the homelab was not healthy to begin with.
func Chaos(ctx context.Context, o Options, seeds []uint64, tell func(ChaosRound)) error {
	o.Spoilable = true
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer closeQuietly(s)
	s.watcher.Subscribe(s.touchNews())
	if why := s.awaitHealth(ctx, nil); why != "" {
		return fmt.Errorf("chaos needs a homelab that is healthy to begin with: %s", why)
	}
	list, err := s.chances(ctx)
	if err != nil {
		return err
	}
	for _, seed := range seeds {
		random := rand.New(rand.NewPCG(seed, seed))
		for range chaosFaults {
			round := s.round(ctx, seed, draw(random, list))
			if ctx.Err() != nil {
				return ctx.Err()
			}
			tell(round)
			if !round.Survived() {
				return nil
			}
		}
	}
	return nil
}

// round lets one fault happen, waits until it has done what it does, lifts it,
// and waits until all is back.
func (s *Stage) round(ctx context.Context, seed uint64, f domain.Fault) ChaosRound {
	round := ChaosRound{Seed: seed, Fault: f.String(), Down: []Down{}, Person: []domain.Ref{}, Broken: []Down{}}
	if err := s.inject(ctx, f); err != nil {
		round.Broken = append(round.Broken, Down{Message: err.Error()})
		return round
	}
	s.gate.Quiet(ctx, quiet) // ends with ctx, which the caller sees
	round.Down = s.down()
	began := time.Now()
	if err := s.lift(f); err != nil {
		round.Broken = append(round.Broken, Down{Message: err.Error()})
		return round
	}
	if err := s.passTime(ctx, f); err != nil {
		s.problem("after the fault %s: %v", f, err)
	}
	s.awaitHealth(ctx, nil)
	round.Person = s.stalled(ctx)
	if len(round.Person) > 0 {
		s.helpOut(ctx, round.Person)
		s.awaitHealth(ctx, nil)
	}
	round.BackSeconds = inSeconds(time.Since(began))
	round.Broken = s.down()
	return round
}

// passTime lets happen at once, after a fault, what would happen by itself
// within hours.
func (s *Stage) passTime(ctx context.Context, f domain.Fault) error {
	switch f.Kind {
	case domain.FaultKubectlEdit:
		s.reconcileAll(ctx)
	case domain.FaultNodePressure, domain.FaultNodeDown:
		return s.sweep(ctx)
	}
	return nil
}

// reconcileAll lets the next interval of all Kustomizations come at once: what
// was edited by hand is overwritten then, and nobody else notices it.
func (s *Stage) reconcileAll(ctx context.Context) {
	at := time.Now().Format(time.RFC3339Nano)
	for _, o := range s.watcher.Snapshot() {
		if o.Kind != "Kustomization" || o.Suspended {
			continue
		}
		if err := s.request(ctx, o, at); err != nil && ctx.Err() == nil {
			s.problem("%v", err)
		}
	}
	s.gate.Touch()
}

// down lists what is not ready now.
func (s *Stage) down() []Down { return downAmong(s.watcher.Snapshot()) }

// stalled returns the releases of which the model says that somebody has to
// put them right: they are out of retries.
func (s *Stage) stalled(ctx context.Context) []domain.Ref {
	refs := []domain.Ref{}
	var list helmv2.HelmReleaseList
	if err := s.engine.client.List(ctx, &list); err != nil {
		return refs // the cache is stopping
	}
	for _, hr := range list.Items {
		if c := apimeta.FindStatusCondition(hr.Status.Conditions, meta.StalledCondition); c != nil && c.Status == metav1.ConditionTrue && !hr.Spec.Suspend {
			refs = append(refs, domain.Ref{Kind: "HelmRelease", Namespace: hr.Namespace, Name: hr.Name})
		}
	}
	slices.SortFunc(refs, domain.Ref.Compare)
	return refs
}

// helpOut does what somebody at a terminal would: lets releases try anew.
func (s *Stage) helpOut(ctx context.Context, refs []domain.Ref) {
	at := time.Now().Format(time.RFC3339Nano)
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q,%q:%q,%q:%q}}}`,
		meta.ReconcileRequestAnnotation, at, helmv2.ResetRequestAnnotation, at, helmv2.ForceRequestAnnotation, at)
	for _, ref := range refs {
		hr := &helmv2.HelmRelease{ObjectMeta: metav1.ObjectMeta{Namespace: ref.Namespace, Name: ref.Name}}
		if err := s.engine.client.Patch(ctx, hr, client.RawPatch(types.MergePatchType, patch)); err != nil && ctx.Err() == nil {
			s.problem("let %s try anew: %v", ref, err)
		}
	}
}
