package rehearsal

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/observe"
)

// maxCauses bounds how many lines a row of the report explains.
const maxCauses = 12

// causes lists what keeps a Kustomization from being up, symptoms first: its
// own state, its releases with their pods, then its secrets, routes and other
// objects.
func (s *Stage) causes(k observe.Object, snapshot []observe.Object) []cause {
	var own, symptoms, failures, others []cause
	if !k.Ready && !k.Suspended && !onlyWaits(k) {
		own = append(own, s.causeOf(k))
	}
	if k.State == domain.KustomizationApplying {
		others = append(others, s.healthCauses(k.Ref)...)
	}
	pods := observe.Pods(snapshot)
	for _, o := range snapshot {
		if o.Owner != k.Ref || o.Suspended || o.Kind == "Kustomization" {
			continue
		}
		switch {
		case o.Kind == "HelmRelease" && (!o.Ready || anyNotReady(pods[o.Ref])):
			c := s.releaseCause(o, pods[o.Ref])
			symptoms, failures = appendCause(symptoms, failures, c, o.State == domain.ReleaseFailed)
		case o.Kind != "HelmRelease" && !o.Ready:
			others = append(others, s.causeOf(o))
		}
	}
	others = append(others, s.routesOf(k, snapshot)...)
	if len(failures)+len(others) > 0 {
		for i := range symptoms {
			symptoms[i].about, symptoms[i].place = domain.Ref{}, domain.Place{} // the reason stands elsewhere
		}
	}
	return bounded(slices.Concat(own, symptoms, failures, others))
}

// appendCause appends a release that failed by itself to failures, and one that
// waits for others to symptoms.
func appendCause(symptoms, failures []cause, c cause, failed bool) (_, _ []cause) {
	if failed {
		return symptoms, append(failures, c)
	}
	return append(symptoms, c), failures
}

// onlyWaits reports whether a Kustomization says no more than that something it
// depends on is not ready yet, which is told with that.
func onlyWaits(k observe.Object) bool {
	return k.State == domain.KustomizationIdle && strings.HasSuffix(k.Message, "is not ready")
}

func bounded(list []cause) []cause {
	if len(list) <= maxCauses {
		return list
	}
	more := len(list) - maxCauses
	return append(list[:maxCauses], cause{text: fmt.Sprintf("and %d more", more)})
}

func (s *Stage) causeOf(o observe.Object) cause {
	return cause{text: fmt.Sprintf("%s is %s: %s", o.Ref, o.State, o.Message), about: o.Ref, place: s.placeOf(o.Ref)}
}

func anyNotReady(list []observe.Object) bool {
	return slices.ContainsFunc(list, func(o observe.Object) bool { return !o.Ready })
}

// routesOf lists the routes of a Kustomization's releases that are not ready.
func (s *Stage) routesOf(k observe.Object, snapshot []observe.Object) []cause {
	mine := map[domain.Ref]bool{}
	for _, o := range snapshot {
		if o.Kind == "HelmRelease" && o.Owner == k.Ref {
			mine[o.Ref] = true
		}
	}
	var list []cause
	for _, o := range snapshot {
		if !o.Ready && mine[o.Owner] && o.Kind != "Pod" && o.Kind != "HelmRelease" {
			c := s.causeOf(o)
			c.place = s.placeOf(o.Owner)
			list = append(list, c)
		}
	}
	return list
}

// releaseCause tells a release together with its pods, since Ready says
// nothing about them.
func (s *Stage) releaseCause(release observe.Object, pods []observe.Object) cause {
	text := fmt.Sprintf("%s is %s", release.Ref, release.State)
	var waiting []string
	for _, pod := range pods {
		if !pod.Ready {
			waiting = append(waiting, fmt.Sprintf("pod %s is %s (%s)", pod.Name, pod.State, pod.Message))
		}
	}
	switch {
	case len(waiting) > 0:
		text += ": " + strings.Join(waiting, "; ")
	case release.Message != "":
		text += ": " + release.Message
	}
	return cause{text: text, about: release.Ref, place: s.placeOf(release.Ref)}
}

// strays lists what is not ready and comes from no Kustomization: made by a
// bootstrap, by hand, or by another object.
func (s *Stage) strays(snapshot []observe.Object, objects []Object) []row {
	kinds := map[domain.Ref]observe.Object{}
	for _, o := range snapshot {
		kinds[o.Ref] = o
	}
	var rows []row
	for i, o := range snapshot {
		_, owned := kinds[o.Owner]
		if o.Ready || o.Suspended || o.Kind == "Kustomization" || owned {
			continue
		}
		rows = append(rows, row{object: objects[i], causes: []cause{s.causeOf(o)}})
	}
	return rows
}

// documents reads a file of the repository as it is now; what cannot be read
// has no documents.
func (s *Stage) documents(file string) []*manifest.Document {
	root, err := os.OpenRoot(s.repository.Root)
	if err != nil {
		return nil
	}
	defer root.Close()
	data, err := manifest.Read(root, file)
	if err != nil {
		return nil
	}
	docs, _ := manifest.Parse(file, data) // what is broken is reported elsewhere
	return docs
}
