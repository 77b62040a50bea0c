package domain

import "time"

// DriftCorrected says that what others had changed or deleted was made as Git
// has it again.
type DriftCorrected struct {
	Reconciler Ref       `json:"reconciler"` // the Kustomization or HelmRelease
	Correction string    `json:"correction"` // what was changed back, in its words
	Time       time.Time `json:"time"`
}

// EventName returns "DriftCorrected".
func (DriftCorrected) EventName() string { return "DriftCorrected" }

// Subject returns the Kustomization or HelmRelease.
func (e DriftCorrected) Subject() Ref { return e.Reconciler }

// When returns the time of the correction.
func (e DriftCorrected) When() time.Time { return e.Time }

// PodRestarted says that a container of a pod was started again.
type PodRestarted struct {
	Pod       Ref    `json:"pod"`
	Container string `json:"container"`
	Restarts  int    `json:"restarts"` // in all
	// ExitCode and Reason are those of the run before.
	ExitCode int       `json:"exitCode"`
	Reason   string    `json:"reason,omitempty"`
	Time     time.Time `json:"time"`
}

// EventName returns "PodRestarted".
func (PodRestarted) EventName() string { return "PodRestarted" }

// Subject returns the pod.
func (e PodRestarted) Subject() Ref { return e.Pod }

// When returns when the restart was seen.
func (e PodRestarted) When() time.Time { return e.Time }

// ImagePulled says that a container of a pod has its image, from a registry or
// from what its node had.
type ImagePulled struct {
	Pod       Ref    `json:"pod"`
	Container string `json:"container"`
	Image     string `json:"image"`
	// ID is what the node's runtime knows the image by, with its digest.
	ID   string    `json:"id"`
	Node string    `json:"node"`
	Time time.Time `json:"time"`
}

// EventName returns "ImagePulled".
func (ImagePulled) EventName() string { return "ImagePulled" }

// Subject returns the pod.
func (e ImagePulled) Subject() Ref { return e.Pod }

// When returns when the image was seen to be there.
func (e ImagePulled) When() time.Time { return e.Time }

// DependencyBlocked says that a reconciler waits for what its object depends on.
type DependencyBlocked struct {
	Object Ref `json:"object"`
	// On are the dependencies that are not ready, or do not exist.
	On     []Ref     `json:"on"`
	Reason string    `json:"reason"` // in the reconciler's words
	Time   time.Time `json:"time"`
}

// EventName returns "DependencyBlocked".
func (DependencyBlocked) EventName() string { return "DependencyBlocked" }

// Subject returns the object that waits.
func (e DependencyBlocked) Subject() Ref { return e.Object }

// When returns when the wait began.
func (e DependencyBlocked) When() time.Time { return e.Time }

// FurtherEventMeanings returns the meaning of the events that follow from the
// model's rules and that its own table does not name.
func FurtherEventMeanings() []EventMeaning {
	return []EventMeaning{
		{
			Name: "DriftCorrected", Trigger: "an object differs from Git, or is gone, at a reconcile",
			Contains:  []string{"Kustomization or HelmRelease", "what was changed back"},
			Consumers: []string{"whoever edited by hand"},
			Effects:   []string{"the object is as Git has it"},
		},
		{
			Name: "PodRestarted", Trigger: "a container is started again after it exited",
			Contains:  []string{"pod", "container", "number of restarts", "exit code and reason of the run before"},
			Consumers: []string{"the pod's owner"},
			Effects:   []string{"each further restart waits longer"},
		},
		{
			Name: "ImagePulled", Trigger: "a container's image is on its node",
			Contains:  []string{"pod", "container", "image", "digest", "node"},
			Consumers: []string{"Spegel's peers"},
			Effects:   []string{"the container starts", "other nodes need not ask the registry"},
		},
		{
			Name: "DependencyBlocked", Trigger: "a reconcile finds a dependency that is not ready",
			Contains:  []string{"what waits", "what it waits for", "reason"},
			Consumers: []string{"whoever depends on what waits"},
			Effects:   []string{"nothing is applied until the dependency is ready"},
		},
	}
}
