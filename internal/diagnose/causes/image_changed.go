package causes

import (
	"strings"

	"hearth/internal/diagnose"
)

var imageChanged = &diagnose.Cause{
	Name:     "image-changed",
	Title:    "An image without a digest has changed",
	Symptom:  "A pod crashes that ran before, and nothing was changed in Git.",
	Evidence: "Pods of one workload name the same tag, without a digest, and run different images by it.",
	Why:      "A tag such as latest means another image tomorrow: the next restart brings it, unasked and untested.",
	Fix:      "Pin the image by tag and digest in the release's values.",
	Section:  "Don't: Use :latest Tag",
	Find: func(s *diagnose.Search) {
		for _, w := range waits(s) {
			if !w.crashing() || strings.Contains(w.image, "@") {
				continue
			}
			mine := imageID(w.pod, w.container)
			for _, other := range siblings(s, w.pod) {
				theirs := imageID(other, w.container)
				spec := containerSpec(other, w.container)
				if mine == "" || theirs == "" || mine == theirs || spec == nil || spec.Text("image") != w.image {
					continue
				}
				git := subject(s, w.pod)
				s.Report(diagnose.Finding{
					Subject: git.Key, Explains: []diagnose.Key{w.pod.Key}, Confidence: diagnose.Medium, At: diagnose.Locus{Key: git.Key, Text: tagOf(w.image)},
					Sentence: "The tag " + w.image + " of " + git.Ref().String() + " means another image than before: " + w.pod.Name + " crashes with it.",
					Evidence: []diagnose.Evidence{field(w.pod, "container "+w.container+" imageID", mine), field(other, "container "+w.container+" imageID", theirs)},
					Commands: diagnose.Show(w.pod.Key),
				})
				break
			}
		}
	},
}

// siblings returns the other pods of a pod's workload.
func siblings(s *diagnose.Search, pod *diagnose.Object) []*diagnose.Object {
	workload := s.Workload(pod)
	if workload == nil || workload == pod {
		return nil
	}
	var list []*diagnose.Object
	for _, p := range s.Pods(workload) {
		if p != pod {
			list = append(list, p)
		}
	}
	return list
}

func imageID(pod *diagnose.Object, container string) string {
	for _, c := range diagnose.Statuses(pod) {
		if c.Text("name") == container {
			return c.Text("imageID")
		}
	}
	return ""
}
