package order

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/render/desired"
	"hearth/internal/rule"
)

var dependsOnCycle = &rule.Rule{
	Name:     "depends-on-cycle",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Dependencies do not go in circles",
	Why: "What waits for itself, directly or through others, is never applied, and neither is anything that depends on it. " +
		"A parent with wait: true, or with a health check on a child, is ready only after its children: a child that depends on it closes a circle, too.",
	Remedy: "Remove the dependency that points backwards. Where two parts really need each other, split one of them: " +
		"what the other needs first into a Kustomization of its own.",
	Section: "Capsule: FluxDependencyChain",
	Bad: `# a depends on b; in another file b depends on a
spec:
  dependsOn:
    - name: b
`,
	Good: `# a depends on b, and b on nothing
spec:
  dependsOn:
    - name: b
`,
	Check: checkCycles,
}

func checkCycles(p *rule.Pass) {
	for _, c := range p.Clusters {
		for _, circle := range c.Graph.Cycles() {
			reportKustomizationCycle(p, circle)
		}
		r := newReleaseOrder(c.State)
		for _, circle := range r.circles() {
			r.reportCircle(p, circle)
		}
		r.checkAcross(p, c)
	}
}

func reportKustomizationCycle(p *rule.Pass, circle []*desired.Kustomization) {
	// One that both starts and is ready on the way is one step of it.
	if circle = slices.Compact(circle); len(circle) > 1 && circle[0] == circle[len(circle)-1] {
		circle = circle[:len(circle)-1]
	}
	f := rule.Finding{Object: circle[0].Object.Ref, Place: circle[0].Object.Place()}
	var steps []string
	for i, k := range circle {
		next := circle[(i+1)%len(circle)]
		how := "is applied by"
		at := slices.IndexFunc(k.Spec.DependsOn, func(d dependencyReference) bool {
			return d.Name == next.Name && cmp.Or(d.Namespace, k.Namespace) == next.Namespace
		})
		switch {
		case at >= 0:
			how = "depends on"
		case next.Parent == k:
			how = "waits for the health of"
		}
		if at >= 0 && f.Text == "" {
			f.Place, f.Text, f.Object = k.Object.Place(dependsOnPath(at)...), next.Name, k.Object.Ref
		}
		steps = append(steps, fmt.Sprintf("%s %s", how, nameOf(next.Object.Ref)))
	}
	f.Message = circleMessage(circle[0].Object.Ref, steps)
	p.Report(f)
}

// circleMessage tells a circle from its first object on.
func circleMessage(first domain.Ref, steps []string) string {
	if len(steps) == 1 {
		return fmt.Sprintf("%s waits for itself: it is never applied", first)
	}
	return fmt.Sprintf("%s %s: none of them is ever applied", first, strings.Join(steps, ", which "))
}

func nameOf(ref domain.Ref) string { return ref.Namespace + "/" + ref.Name }
