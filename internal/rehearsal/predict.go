package rehearsal

import (
	"time"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// forecast plans how the homelab would come up at real pace: a Kustomization
// is applied after the one that made it and after all that it depends on; its
// secrets are synced and its releases installed after that, and pods take what
// their stand-ins drew for pulls and starts. One that waits is ready only when
// all that it applied is.
func (s *Stage) forecast(snapshot []observe.Object) *forecast {
	f := newForecast()
	pods := observe.Pods(snapshot)
	children := map[domain.Ref][]observe.Object{}
	for _, o := range snapshot {
		children[o.Owner] = append(children[o.Owner], o)
	}
	for _, o := range snapshot {
		if !o.Ready {
			continue
		}
		switch o.Kind {
		case "Kustomization":
			s.planKustomization(f, o, children[o.Ref])
		case "ExternalSecret":
			f.add(task{Ref: o.Ref}, s.typical(domain.SecretSync, o.Ref), applied(o.Owner))
		case "HelmRelease":
			s.planRelease(f, o, children[o.Owner], pods[o.Ref])
		}
	}
	return f
}

func (s *Stage) planKustomization(f *forecast, o observe.Object, children []observe.Object) {
	before := []task{applied(o.Owner)}
	for _, dependency := range o.DependsOn {
		before = append(before, task{Ref: dependency})
	}
	f.add(applied(o.Ref), s.typical(domain.FluxReconcile, o.Ref), before...)
	ready := []task{applied(o.Ref)}
	if s.waits(o.Ref) {
		for _, child := range children {
			ready = append(ready, task{Ref: child.Ref})
		}
	}
	f.add(task{Ref: o.Ref}, 0, ready...)
}

// planRelease lets a release wait for the secrets that came with it, since its
// pods most likely use them.
func (s *Stage) planRelease(f *forecast, o observe.Object, siblings, pods []observe.Object) {
	before := []task{applied(o.Owner)}
	for _, dependency := range o.DependsOn {
		before = append(before, task{Ref: dependency})
	}
	for _, sibling := range siblings {
		if sibling.Kind == "ExternalSecret" {
			before = append(before, task{Ref: sibling.Ref})
		}
	}
	var longest time.Duration
	for _, pod := range pods {
		longest = max(longest, s.simulated.of(pod.Ref))
	}
	f.add(task{Ref: o.Ref}, longest, before...)
}

func (s *Stage) typical(operation domain.Operation, ref domain.Ref) time.Duration {
	return operation.Typical().Draw(s.options.Seed, ref.String())
}

func applied(k domain.Ref) task { return task{Ref: k, applied: true} }

// waits reports whether a Kustomization is ready only when what it applied is.
func (s *Stage) waits(ref domain.Ref) bool {
	k, ok := s.kustomization(ref)
	return ok && (k.Spec.Wait || len(k.Spec.HealthChecks) > 0)
}
