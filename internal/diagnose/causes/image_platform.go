package causes

import (
	"hearth/internal/diagnose"
)

var imagePlatform = &diagnose.Cause{
	Name:     "image-platform",
	Title:    "The image is not made for the node",
	Symptom:  "A pod is PullingImages, or Failed in ImagePullBackOff, often on some nodes only.",
	Evidence: "The container runtime says that the manifest has no match for the platform.",
	Why:      "A registry keeps an image for each operating system and architecture: this one has none for the node that the pod is on.",
	Fix:      "Name an image or a tag that is built for the nodes' architecture in the release's values; or keep the pod on nodes that it is made for, by a nodeSelector for kubernetes.io/arch.",
	Section:  "Pod Lifecycle",
	Unless:   []string{"edited-by-hand"},
	Find:     func(s *diagnose.Search) { findPulls(s, "platform") },
}
