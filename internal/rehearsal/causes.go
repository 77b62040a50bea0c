package rehearsal

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
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
			symptoms[i].place = domain.Place{} // the reason stands elsewhere
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
	return cause{text: fmt.Sprintf("%s is %s: %s", o.Ref, o.State, o.Message), place: s.causePlace(o)}
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
		rows = append(rows, row{object: objects[i], causes: []cause{s.causeOf(o)}})
	}
	return rows
}

// missingField is how an ExternalSecret says which field its item lacks.
var missingField = regexp.MustCompile(`1Password items? .*has (?:no|a) field "?([A-Za-z0-9_.-]*[A-Za-z0-9_-])`)

// brokenTemplate is how an ExternalSecret says which of its templates fails.
var brokenTemplate = regexp.MustCompile(`^template "([^"]+)"`)

// namedPlace is how messages name a place in Git.
var namedPlace = regexp.MustCompile(`([A-Za-z0-9_./-]+\.(?:ya?ml|json|j2)):(\d+)`)

// causePlace returns where in Git the cause of an object's state stands: a
// template line that uses a field which the item lacks, the place that its
// message names, or else the object.
func (s *Stage) causePlace(o observe.Object) domain.Place {
	if m := missingField.FindStringSubmatch(o.Message); m != nil && o.Kind == "ExternalSecret" {
		if place := s.usePlace(o.Ref, m[1]); place.Known() {
			return place
		}
	}
	if m := brokenTemplate.FindStringSubmatch(o.Message); m != nil && o.Kind == "ExternalSecret" {
		if place := s.index.Place(keyOf(o.Ref), "spec", "target", "template", "data", m[1]); place.Known() {
			return place
		}
	}
	if m := namedPlace.FindStringSubmatch(o.Message); m != nil && s.inRepository(m[1]) {
		line, _ := strconv.Atoi(m[2]) // digits; 0 if there are too many
		return domain.Place{File: m[1], Line: line}
	}
	return s.placeOf(o.Ref)
}

// inRepository reports whether a file is one of the repository's.
func (s *Stage) inRepository(file string) bool {
	root, err := os.OpenRoot(s.repository.Root)
	if err != nil {
		return false
	}
	defer root.Close()
	info, err := root.Stat(file)
	return err == nil && info.Mode().IsRegular()
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
