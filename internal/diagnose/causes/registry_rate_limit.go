package causes

import (
	"hearth/internal/diagnose"
)

var rateLimited = &diagnose.Cause{
	Name:     "registry-rate-limit",
	Title:    "The registry limits how much may be pulled",
	Symptom:  "Pods of one registry are PullingImages, or Failed in ImagePullBackOff.",
	Evidence: "The registry answers 429, too many requests.",
	Why:      "Anonymous pulls are counted by address: a cluster that starts all at once, or retries for long, uses them up.",
	Fix:      "Wait until the limit is lifted; use imagePullSecrets of an account, or a mirror such as Spegel.",
	Find:     func(s *diagnose.Search) { findPulls(s, "limited") },
}
