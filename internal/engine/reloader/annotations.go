package reloader

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Annotations of workloads and their pods, and of Secrets and ConfigMaps.
const (
	autoAnnotation   = "reloader.stakater.com/auto"
	searchAnnotation = "reloader.stakater.com/search"
	matchAnnotation  = "reloader.stakater.com/match"  // of a source
	ignoreAnnotation = "reloader.stakater.com/ignore" // of a source

	// restartAnnotation of the pods says what they were restarted for.
	restartAnnotation = "reloader.stakater.com/last-reloaded-from"
)

// words are the annotations that differ by the kind of the source.
type words struct{ auto, reload, exclude string }

var wordsOf = map[string]words{
	"Secret":    {"secret.reloader.stakater.com/auto", "secret.reloader.stakater.com/reload", "secrets.exclude.reloader.stakater.com/reload"},
	"ConfigMap": {"configmap.reloader.stakater.com/auto", "configmap.reloader.stakater.com/reload", "configmaps.exclude.reloader.stakater.com/reload"},
}

// follows reports whether a workload is to be restarted for a change. The
// annotations of the pods count where the workload has none of its own. What is
// named is followed whether it is used or not; all else must be used.
func follows(w workload, c change, all bool) bool {
	if c.annotations[ignoreAnnotation] == "true" {
		return false
	}
	words := wordsOf[c.kind]
	said := w.object.GetAnnotations()
	if !speaks(said, words) {
		said = w.pods.Annotations
	}
	auto, typed := said[autoAnnotation], said[words.auto]
	switch {
	case names(said[words.reload], c.Name):
		return true
	case isTrue(auto), isTrue(typed), all && auto == "" && typed == "":
		if !names(said[words.exclude], c.Name) && uses(&w.pods.Spec, c.source) {
			return true
		}
	}
	return said[searchAnnotation] == "true" && c.annotations[matchAnnotation] == "true" && uses(&w.pods.Spec, c.source)
}

// speaks reports whether annotations say what is to be followed.
func speaks(annotations map[string]string, words words) bool {
	return slices.ContainsFunc([]string{autoAnnotation, searchAnnotation, words.auto, words.reload}, func(name string) bool {
		_, ok := annotations[name]
		return ok
	})
}

func isTrue(text string) bool {
	set, err := strconv.ParseBool(text)
	return err == nil && set
}

// names reports whether a list holds a name: each entry is one, or a regular
// expression of the whole name.
func names(list, name string) bool {
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		if entry == name {
			return true
		}
		if re, err := regexp.Compile("^(?:" + entry + ")$"); err == nil && re.MatchString(name) {
			return true
		}
	}
	return false
}
