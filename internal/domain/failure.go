package domain

import "time"

// FailurePoint is a state in which pods commonly get stuck.
type FailurePoint struct {
	State  State    `json:"state"`
	Causes []string `json:"causes"`
	Fixes  []string `json:"fixes"`
}

// PodFailurePoints returns where pods commonly get stuck, and what helps.
func PodFailurePoints() []FailurePoint {
	return []FailurePoint{
		{PodWaitingSecrets, []string{"its ExternalSecret is not Ready"}, []string{"look at the ExternalSecret's status", "verify the vault item"}},
		{PodPullingImages, []string{"the image's tag is wrong", "the digest is missing"}, []string{"verify that the image exists", "check the registry's credentials"}},
		{PodCrashLoop, []string{"the application's configuration is wrong", "an environment variable is missing"}, []string{"read the logs", "verify the ExternalSecret's template"}},
		{PodPending, []string{"a PVC is not bound", "node affinity fits no node"}, []string{"look at the PVC's status", "verify the nodes' labels"}},
	}
}

// Cause is one root cause of a failure scenario.
type Cause struct {
	Name string `json:"name"`
	Fix  string `json:"fix"`
}

// FailureScenario is a way in which homelabs commonly fail.
type FailureScenario struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`            // of the object that shows it
	State   State  `json:"state,omitempty"` // that the object is in; empty for kinds without a machine
	Symptom string `json:"symptom"`
	// After is how long the state lasts before the scenario is diagnosed; 0 is at once.
	After  time.Duration `json:"after"`
	Causes []Cause       `json:"causes"`
}

// FailureScenarios returns the common failures with their root causes.
func FailureScenarios() []FailureScenario {
	return []FailureScenario{
		{
			Name: "Pod Stuck in CrashLoopBackOff", Kind: "Pod", State: PodCrashLoop,
			Symptom: "restarts over and over; the wait grows to 5m",
			Causes: []Cause{
				{"App configuration error", "read the log of the last crash and correct the configuration"},
				{"Database unreachable", "check the database's address, and that it is ready"},
				{"Missing secret value", "add the field to the vault item, or correct the ExternalSecret's template"},
			},
		},
		{
			Name: "HelmRelease Stuck Reconciling", Kind: "HelmRelease", State: ReleaseReconciling, After: ReleaseStuckAfter,
			Symptom: "Reconciling for more than 5m",
			Causes: []Cause{
				{"Missing ExternalSecret", "bring the ExternalSecret to Ready"},
				{"Invalid chart values", "correct the values by the chart's schema"},
				{"Timeout", "raise the timeout"},
				{"Dependency not met", "bring the dependsOn target to Ready"},
			},
		},
		{
			Name: "ExternalSecret Failed to Sync", Kind: "ExternalSecret", State: SecretFailed,
			Symptom: "Failed, and its pods wait",
			Causes: []Cause{
				{"Missing 1Password entry", "make the item in the vault"},
				{"Wrong path", "correct dataFrom.extract.key"},
				{"onepassword-connect down", "start it again"},
				{"Template error", "correct the template"},
			},
		},
		{
			Name: "HTTPRoute Not Working", Kind: "HTTPRoute",
			Symptom: "the name resolves, and the connection is refused or ends in 404",
			Causes: []Cause{
				{"Gateway not ready", "bring the gateway to Ready"},
				{"Wrong parentRefs", "correct the gateway's name, namespace or section"},
				{"Backend service missing", "make the Service, with the port that the route names"},
				{"External-DNS not synced", "wait for its interval, or trigger it"},
			},
		},
	}
}
