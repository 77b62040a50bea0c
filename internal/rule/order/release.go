package order

import (
	"cmp"
	"fmt"
	"slices"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"

	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

type dependencyReference = kustomizev1.DependencyReference

// releaseOrder is which HelmReleases wait for which.
type releaseOrder struct {
	list []*desired.Release
	// after are the releases that one waits for, with the index of the entry
	// of dependsOn that says so.
	after []map[int]int
	index map[*desired.Release]int
}

func newReleaseOrder(s *desired.State) *releaseOrder {
	r := &releaseOrder{list: s.Releases, after: make([]map[int]int, len(s.Releases)), index: map[*desired.Release]int{}}
	named := map[string]int{}
	for i, release := range s.Releases {
		named[release.Namespace+"/"+release.Name] = i
		r.index[release] = i
	}
	for i, release := range s.Releases {
		r.after[i] = map[int]int{}
		for entry, on := range release.Spec.DependsOn {
			if j, ok := named[cmp.Or(on.Namespace, release.Namespace)+"/"+on.Name]; ok {
				r.after[i][j] = entry
			}
		}
	}
	return r
}

// way returns the shortest way from a release to another one along what each
// waits for, both included; nil where there is none.
func (r *releaseOrder) way(from, to int) []int {
	came := map[int]int{}
	pending := []int{from}
	for len(pending) > 0 {
		i := pending[0]
		pending = pending[1:]
		for _, j := range sortedKeys(r.after[i]) {
			if _, seen := came[j]; seen {
				continue
			}
			came[j] = i
			if j == to {
				way := []int{to}
				for at := came[to]; ; at = came[at] {
					way = append(way, at)
					if at == from {
						slices.Reverse(way)
						return way
					}
				}
			}
			pending = append(pending, j)
		}
	}
	return nil
}

// dependsOn reports whether a release waits for another one.
func (r *releaseOrder) dependsOn(release, on *desired.Release) bool {
	i, known := r.index[release]
	j, knownToo := r.index[on]
	return known && knownToo && r.way(i, j) != nil
}

// circles returns the circles of releases, each without its end and a release
// in one of them only.
func (r *releaseOrder) circles() [][]int {
	var circles [][]int
	taken := map[int]bool{}
	for i := range r.list {
		if taken[i] || len(r.after[i]) == 0 {
			continue
		}
		way := r.way(i, i)
		if way == nil {
			continue
		}
		for _, j := range way {
			taken[j] = true
		}
		circles = append(circles, way[:len(way)-1])
	}
	return circles
}

func (r *releaseOrder) reportCircle(p *rule.Pass, circle []int) {
	var steps []string
	for i := range circle {
		next := r.list[circle[(i+1)%len(circle)]]
		steps = append(steps, "depends on "+nameOf(next.Object.Ref))
	}
	first, second := r.list[circle[0]], circle[1%len(circle)]
	entry := r.after[circle[0]][second]
	p.Report(rule.Finding{
		Place: first.Object.Place(dependsOnPath(entry)...), Text: r.list[second].Name, Object: first.Object.Ref,
		Message: circleMessage(first.Object.Ref, steps),
	})
}

// checkAcross reports a Kustomization that waits for the health of a release
// which waits for one that is only applied after the Kustomization is ready.
func (r *releaseOrder) checkAcross(p *rule.Pass, c *rule.Cluster) {
	for i, release := range r.list {
		k := release.Object.Kustomization
		if k == nil || !awaits(k, release) {
			continue
		}
		for _, j := range sortedKeys(r.after[i]) {
			on := r.list[j]
			other := on.Object.Kustomization
			if other == nil || other == k || isAbove(k, other) || !c.Graph.DependsOn(other, k) {
				continue
			}
			p.Report(rule.Finding{
				Place: release.Object.Place(dependsOnPath(r.after[i][j])...), Text: on.Name, Object: release.Object.Ref,
				Message: fmt.Sprintf("%s waits for the health of %s, which depends on %s, which %s applies only after the first is ready: none of them ever is",
					k.Object.Ref, nameOf(release.Object.Ref), nameOf(on.Object.Ref), other.Object.Ref),
			})
		}
	}
}

// awaits reports whether a Kustomization is ready only after a release of its.
func awaits(k *desired.Kustomization, release *desired.Release) bool {
	if k.Spec.Wait {
		return true
	}
	for _, check := range k.Spec.HealthChecks {
		if check.Kind == "HelmRelease" && check.Name == release.Name && cmp.Or(check.Namespace, k.Namespace) == release.Namespace {
			return true
		}
	}
	return false
}

func isAbove(parent, k *desired.Kustomization) bool {
	for above := k.Parent; above != nil; above = above.Parent {
		if above == parent {
			return true
		}
	}
	return false
}

func sortedKeys(m map[int]int) []int {
	keys := make([]int, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
