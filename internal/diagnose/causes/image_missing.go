package causes

import (
	"hearth/internal/diagnose"
)

var imageMissing = &diagnose.Cause{
	Name:     "image-missing",
	Title:    "The image does not exist",
	Symptom:  "A pod is PullingImages, or Failed in ImagePullBackOff.",
	Evidence: "The registry says that it knows no such tag, digest or repository; or the image's name is none.",
	Why:      "A tag that was mistyped, or that its publisher has taken back, cannot be pulled.",
	Fix:      "Name a tag that exists, with its digest, in the release's values.",
	Section:  "Pod Lifecycle",
	Unless:   []string{"edited-by-hand"},
	Find:     func(s *diagnose.Search) { findPulls(s, "missing") },
}
