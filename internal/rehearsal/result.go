package rehearsal

import (
	"fmt"
	"slices"
	"time"

	"hearth/internal/domain"
	"hearth/internal/observe"
	"hearth/internal/render"
)

// report tells how things stand now. incomplete says why the rehearsal ended
// before it settled, if it did.
func (s *Stage) report(incomplete string) *Report {
	now := time.Now()
	snapshot := s.watcher.Snapshot()
	ready := s.kubernetes.ReadyAt()
	r := &Report{
		Verdict:     Converged,
		WallSeconds: round(now.Sub(ready).Seconds()),
		Cluster:     s.cluster.Name,
		Revision:    s.repository.Revision.String(),
		Counts:      map[string]Count{},
		Objects:     []Object{},
		Assumptions: nonNil(s.assumptions.List()),
		OffModel:    []OffModel{},
		Problems:    nonNil(s.problems()),
		Incomplete:  incomplete,
		Faults:      s.faultEffects(),
		kubernetes:  s.kubernetesInfo(),
	}
	for _, kind := range countedKinds {
		r.Counts[kind] = Count{}
	}
	for kind, c := range observe.Counts(snapshot) {
		r.Counts[kind] = Count{Total: c.Total, Ready: c.Ready}
	}
	for _, o := range snapshot {
		object := s.object(o, ready)
		if !object.ready && !object.suspended {
			r.Verdict = Failed
		}
		r.Objects = append(r.Objects, object)
	}
	if incomplete != "" || len(snapshot) == 0 {
		r.Verdict = Failed
	}
	for _, t := range s.watcher.OffModel() {
		if observe.Further(t.Kind) {
			continue // the model draws no machine for it
		}
		r.OffModel = append(r.OffModel, OffModel{Ref: t.Ref, From: t.From, To: t.To})
	}
	forecast := s.forecast(snapshot)
	r.CriticalPath = nonNil(forecast.criticalPath())
	if n := len(r.CriticalPath); n > 0 {
		r.PredictedSeconds = r.CriticalPath[n-1].PredictedSeconds
	}
	r.Timeline = s.course(s.watcher.All(), r.CriticalPath, now)
	r.Timeline.Verdict, r.Timeline.Assumptions = string(r.Verdict), r.Assumptions
	r.tree = s.rows(snapshot, r.Objects)
	return r
}

// kubernetesInfo is what the first line says.
func (s *Stage) kubernetesInfo() kubernetes {
	return kubernetes{
		version: s.kubernetes.Version(),
		ready:   s.kubernetes.ReadyAt().Sub(s.began),
		nodes:   s.nodes(),
		path:    s.place(),
		tree:    s.workingTree(),
	}
}

func (s *Stage) object(o observe.Object, start time.Time) Object {
	object := Object{
		Ref: o.Ref, State: o.State, Message: o.Message,
		Place: s.placeOf(o.Ref), ready: o.Ready, suspended: o.Suspended,
	}
	if !o.ReadyAt.IsZero() {
		after := round(max(0, o.ReadyAt.Sub(start).Seconds()))
		object.ReadyAfterSeconds = &after
	}
	if !object.Place.Known() && o.Owner.Name != "" {
		object.Place = s.placeOf(o.Owner)
	}
	return object
}

// groups are the API groups of the kinds that a report lists.
var groups = map[string]string{
	"Kustomization":  "kustomize.toolkit.fluxcd.io",
	"HelmRelease":    "helm.toolkit.fluxcd.io",
	"ExternalSecret": "external-secrets.io",
	"HTTPRoute":      "gateway.networking.k8s.io",
}

// placeOf returns where an object stands in Git: itself, or for the root
// Kustomization what it was made of.
func (s *Stage) placeOf(ref domain.Ref) domain.Place {
	if place := s.index.Place(keyOf(ref)); place.Known() {
		return place
	}
	entry := s.cluster.Entry
	if ref.Kind == "Kustomization" && ref.Namespace == entry.Namespace && ref.Name == entry.Name {
		return entry.Place
	}
	return domain.Place{}
}

func keyOf(ref domain.Ref) render.Key {
	return render.Key{Group: groups[ref.Kind], Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name}
}

// place names the cluster as the first line shows it.
func (s *Stage) place() string {
	if s.options.Path == "" {
		return "example homelab, " + s.cluster.Path
	}
	if s.cluster.Path == "." {
		return s.cluster.Name
	}
	return s.cluster.Path
}

// workingTree says what was rehearsed.
func (s *Stage) workingTree() string {
	if revision := s.repository.Revision.String(); revision != "" && s.options.Path != "" {
		return "working tree at " + revision
	}
	return "working tree"
}

// rows lists the Kustomizations in dependency order, each with what keeps it
// from being ready.
func (s *Stage) rows(snapshot []observe.Object, objects []Object) []row {
	known := map[domain.Ref]int{}
	for i, o := range snapshot {
		known[o.Ref] = i
	}
	var rows []row
	for _, o := range inDependencyOrder(snapshot) {
		r := row{object: objects[known[o.Ref]]}
		for _, dependency := range o.DependsOn {
			r.after = append(r.after, dependency.Name)
			if i, ok := known[dependency]; !ok || !snapshot[i].Ready {
				r.waiting = append(r.waiting, dependency.Name)
			}
		}
		r.causes = s.causes(o, snapshot)
		rows = append(rows, r)
	}
	return append(rows, s.strays(snapshot, objects)...)
}

// inDependencyOrder sorts Kustomizations so that each comes after what it
// depends on; those without order among them by when they were ready, then by
// name. A cycle is broken at its last link.
func inDependencyOrder(snapshot []observe.Object) []observe.Object {
	byRef := map[domain.Ref]observe.Object{}
	var all []observe.Object
	for _, o := range snapshot {
		if o.Kind == "Kustomization" {
			byRef[o.Ref] = o
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, compareReadiness)
	var ordered []observe.Object
	seen := map[domain.Ref]bool{}
	var visit func(o observe.Object)
	visit = func(o observe.Object) {
		if seen[o.Ref] {
			return
		}
		seen[o.Ref] = true
		for _, ref := range o.DependsOn {
			if dependency, ok := byRef[ref]; ok {
				visit(dependency)
			}
		}
		ordered = append(ordered, o)
	}
	for _, o := range all {
		visit(o)
	}
	return ordered
}

func compareReadiness(a, b observe.Object) int {
	switch {
	case a.ReadyAt.IsZero() && b.ReadyAt.IsZero():
		return a.Ref.Compare(b.Ref)
	case a.ReadyAt.IsZero():
		return 1
	case b.ReadyAt.IsZero():
		return -1
	}
	return a.ReadyAt.Compare(b.ReadyAt)
}

// nodes counts the nodes of the cluster.
func (s *Stage) nodes() int {
	n, err := s.engine.countNodes()
	if err != nil {
		s.problem("count the nodes: %v", err)
	}
	return n
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// problem notes a mistake of the repository, or something that went wrong and
// that no object shows.
func (s *Stage) problem(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if slices.Contains(s.noted, text) {
		return
	}
	s.noted = append(s.noted, text)
	if s.onProblem != nil {
		s.onProblem(text)
	}
}

// OnProblem calls f, one at a time, for each problem that was noted and that
// will be. f must be quick and not use the stage.
func (s *Stage) OnProblem(f func(problem string)) {
	known := s.problems()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onProblem = f
	for _, problem := range known {
		f(problem)
	}
}

// problems returns what was noted, after what could not be read of the
// repository.
func (s *Stage) problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, p := range s.repository.Problems {
		list = append(list, p.Error())
	}
	return append(list, s.noted...)
}
