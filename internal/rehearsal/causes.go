package rehearsal

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/observe"
)

// maxCauses bounds how many lines a row of the report explains.
const maxCauses = 12

// causes lists the objects of a Kustomization that are not ready, and the
// Kustomization's own failure, where that is not just that it waits for others.
func (s *Stage) causes(k observe.Object, snapshot []observe.Object) []cause {
	var list []cause
	if !k.Ready && !k.Suspended {
		list = append(list, cause{text: fmt.Sprintf("%s is %s: %s", k.Ref, k.State, k.Message), place: s.causePlace(k)})
	}
	if k.State == domain.KustomizationApplying {
		list = append(list, s.healthCauses(k.Ref)...)
	}
	pods := observe.Pods(snapshot)
	for _, o := range snapshot {
		if o.Ready || o.Suspended || o.Owner != k.Ref || o.Kind == "Kustomization" {
			continue
		}
		if o.Kind == "HelmRelease" {
			list = append(list, s.releaseCause(o, pods[o.Ref]))
			continue
		}
		list = append(list, cause{text: fmt.Sprintf("%s is %s: %s", o.Ref, o.State, o.Message), place: s.causePlace(o)})
	}
	for _, release := range snapshot {
		if release.Kind != "HelmRelease" || release.Owner != k.Ref || !release.Ready {
			continue
		}
		for _, pod := range pods[release.Ref] {
			if !pod.Ready {
				list = append(list, s.releaseCause(release, pods[release.Ref]))
				break
			}
		}
	}
	list = append(list, s.routesOf(k, snapshot)...)
	if len(list) > maxCauses {
		more := len(list) - maxCauses
		list = append(list[:maxCauses], cause{text: fmt.Sprintf("and %d more", more)})
	}
	return list
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
			list = append(list, cause{text: fmt.Sprintf("%s is %s: %s", o.Ref, o.State, o.Message), place: s.placeOf(o.Owner)})
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
	return cause{text: text, place: s.placeOf(release.Ref)}
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
		rows = append(rows, row{object: objects[i], causes: []cause{{
			text: fmt.Sprintf("%s is %s: %s", o.Ref, o.State, o.Message), place: s.causePlace(o),
		}}})
	}
	return rows
}

// missingField is how an ExternalSecret says which field its item lacks.
var missingField = regexp.MustCompile(`1Password item "[^"]*" has no field "?([A-Za-z0-9_.-]+)`)

// causePlace returns where in Git the cause of an object's state stands: a
// template line that uses a field which the item lacks, else the object.
func (s *Stage) causePlace(o observe.Object) domain.Place {
	if m := missingField.FindStringSubmatch(o.Message); m != nil && o.Kind == "ExternalSecret" {
		if place := s.usePlace(o.Ref, m[1]); place.Known() {
			return place
		}
	}
	return s.placeOf(o.Ref)
}

// usePlace returns the line of an ExternalSecret that uses a field.
func (s *Stage) usePlace(ref domain.Ref, field string) domain.Place {
	start := s.placeOf(ref)
	if !start.Known() {
		return start
	}
	word := regexp.MustCompile(`(^|[^A-Za-z0-9_])` + regexp.QuoteMeta(field) + `([^A-Za-z0-9_]|$)`)
	for _, doc := range s.documents(start.File) {
		if doc.Line != start.Line {
			continue
		}
		if line := doc.MentionLine(word.MatchString); line > 0 {
			return domain.Place{File: start.File, Line: line}
		}
	}
	return start
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
