package causes

import (
	"hearth/internal/diagnose"
)

var imageRefused = &diagnose.Cause{
	Name:     "image-refused",
	Title:    "The registry refuses to hand the image out",
	Symptom:  "A pod is PullingImages, or Failed in ImagePullBackOff.",
	Evidence: "The registry says that access is denied or unauthorized, or the pull secret does not exist.",
	Why:      "A private image needs imagePullSecrets with credentials that are still valid. Some registries answer so for images that do not exist, too.",
	Fix:      "Verify the image's name, and the credentials of its pull secret.",
	Section:  "Pod Lifecycle",
	Find:     func(s *diagnose.Search) { findPulls(s, "refused") },
}
