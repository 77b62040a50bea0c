package domain

import "time"

// Event is something that happened in a homelab and that others act upon.
type Event interface {
	// EventName returns the name of the event's type, for example "SecretSynced".
	EventName() string
	// Subject returns the object that it happened to.
	Subject() Ref
	// When returns when it happened, in wall time.
	When() time.Time
}

// FluxReconciled says that a Kustomization has gone through a reconcile.
type FluxReconciled struct {
	Kustomization Ref       `json:"kustomization"`
	Applied       int       `json:"applied"`  // objects in the inventory
	Status        State     `json:"status"`   // KustomizationReady or KustomizationFailed
	Revision      string    `json:"revision"` // of the source
	Time          time.Time `json:"time"`
}

// EventName returns "FluxReconciled".
func (FluxReconciled) EventName() string { return "FluxReconciled" }

// Subject returns the Kustomization.
func (e FluxReconciled) Subject() Ref { return e.Kustomization }

// When returns the end of the reconcile.
func (e FluxReconciled) When() time.Time { return e.Time }

// SecretSynced says that a Secret now holds what the vault holds. It never
// carries a value.
type SecretSynced struct {
	ExternalSecret Ref       `json:"externalSecret"`
	Secret         Ref       `json:"secret"`
	Sources        []string  `json:"sources"` // the vault items' paths
	Time           time.Time `json:"time"`
}

// EventName returns "SecretSynced".
func (SecretSynced) EventName() string { return "SecretSynced" }

// Subject returns the ExternalSecret.
func (e SecretSynced) Subject() Ref { return e.ExternalSecret }

// When returns the time of the sync.
func (e SecretSynced) When() time.Time { return e.Time }

// HelmReleaseReady says that an install or upgrade succeeded.
type HelmReleaseReady struct {
	// Release is the HelmRelease; Name and Namespace are what Helm calls it.
	Release      Ref    `json:"release"`
	Name         string `json:"name"`
	Namespace    string `json:"namespace"`
	ChartVersion string `json:"chartVersion"`
	// Values are what was applied, every leaf that came from a Secret
	// replaced by a digest.
	Values map[string]any `json:"values,omitempty"`
	// ValuesFrom are the ConfigMaps and Secrets that supply further values, where
	// those are not among Values: nobody has told them.
	ValuesFrom []Ref `json:"valuesFrom,omitempty"`
	// ValuesDigest is the digest of all values.
	ValuesDigest string    `json:"valuesDigest,omitempty"`
	Time         time.Time `json:"time"`
}

// EventName returns "HelmReleaseReady".
func (HelmReleaseReady) EventName() string { return "HelmReleaseReady" }

// Subject returns the HelmRelease.
func (e HelmReleaseReady) Subject() Ref { return e.Release }

// When returns the end of the Helm action.
func (e HelmReleaseReady) When() time.Time { return e.Time }

// HTTPRouteCreated says that a route has been applied.
type HTTPRouteCreated struct {
	Route     Ref       `json:"route"`
	Hostnames []string  `json:"hostnames"`
	Gateways  []Ref     `json:"gateways"`
	Backends  []Ref     `json:"backends"`
	Time      time.Time `json:"time"`
}

// EventName returns "HTTPRouteCreated".
func (HTTPRouteCreated) EventName() string { return "HTTPRouteCreated" }

// Subject returns the HTTPRoute.
func (e HTTPRouteCreated) Subject() Ref { return e.Route }

// When returns the time of the apply.
func (e HTTPRouteCreated) When() time.Time { return e.Time }

// EventMeaning says what brings an event about and what follows from it.
type EventMeaning struct {
	Name      string   `json:"name"`
	Trigger   string   `json:"trigger"`
	Contains  []string `json:"contains"`
	Consumers []string `json:"consumers"`
	Effects   []string `json:"effects"`
}

// EventMeanings returns the meaning of each event.
func EventMeanings() []EventMeaning {
	return []EventMeaning{
		{
			Name: "FluxReconciled", Trigger: "a push's webhook, or the 1h interval",
			Contains:  []string{"Kustomization", "number of applied objects", "Ready or Failed", "revision"},
			Consumers: []string{"the Kustomization's HelmReleases"},
			Effects:   []string{"HelmReleases compare their values", "what left Git is pruned", "the forge shows a commit status"},
		},
		{
			Name: "SecretSynced", Trigger: "an ExternalSecret has read its items from the vault",
			Contains:  []string{"Secret", "time of the sync", "paths of the items"},
			Consumers: []string{"pods that wait for the Secret", "Reloader"},
			Effects:   []string{"the Secret is made or changed", "waiting pods start", "annotated workloads roll"},
		},
		{
			Name: "HelmReleaseReady", Trigger: "an install or upgrade succeeded",
			Contains:  []string{"release's name and namespace", "chart version", "applied values, secret ones as digests", "time"},
			Consumers: []string{"HelmReleases that depend on it"},
			Effects:   []string{"dependants go on", "the release's objects exist", "the status is reported"},
		},
		{
			Name: "HTTPRouteCreated", Trigger: "an HTTPRoute is applied",
			Contains:  []string{"hostnames", "gateways", "backend services"},
			Consumers: []string{"Envoy Gateway", "External-DNS"},
			Effects:   []string{"the gateway routes", "DNS records are made", "traffic reaches the services"},
		},
	}
}
