package domain

// The states of a Flux Kustomization.
const (
	KustomizationIdle     State = "Idle"
	KustomizationFetching State = "Fetching"
	KustomizationBuilding State = "Building"
	KustomizationApplying State = "Applying"
	KustomizationReady    State = "Ready"
	KustomizationFailed   State = "Failed"
	KustomizationDeleting State = "Deleting"
)

var kustomizationMachine = Machine{
	Name:    "kustomization",
	Kind:    "Kustomization",
	Meaning: "how a folder in Git becomes objects of the cluster; Ready does not promise that every HelmRelease in it is Ready",
	Initial: KustomizationIdle,
	States: []StateInfo{
		{State: KustomizationIdle, Meaning: "waiting for the next interval, a webhook or a request"},
		{State: KustomizationFetching, Meaning: "taking the source's artifact"},
		{State: KustomizationBuilding, Meaning: "turning the path into manifests"},
		{State: KustomizationApplying, Meaning: "applying manifests, pruning and waiting for health"},
		{State: KustomizationReady, Meaning: "the source's revision is applied", Ready: true},
		{State: KustomizationFailed, Meaning: "the last attempt failed; nothing was pruned", Failed: true},
		{State: KustomizationDeleting, Meaning: "pruning what it applied", Terminal: true},
	},
	Transitions: []Transition{
		{From: Absent, To: KustomizationIdle, Trigger: "created"},
		{From: KustomizationIdle, To: KustomizationFetching, Trigger: "interval of 1h, or webhook"},
		{From: KustomizationFetching, To: KustomizationBuilding, Trigger: "revision fetched"},
		{From: KustomizationBuilding, To: KustomizationApplying, Trigger: "manifests built"},
		{From: KustomizationApplying, To: KustomizationReady, Trigger: "everything applied"},
		{From: KustomizationApplying, To: KustomizationFailed, Trigger: "apply refused"},
		{From: KustomizationFailed, To: KustomizationFetching, Trigger: "next try", Duration: Duration{Nature: Exponential}},
		{From: KustomizationReady, To: KustomizationIdle, Trigger: "at rest until the next interval"},
		{From: KustomizationIdle, To: KustomizationFetching, Trigger: "requested by hand"},
		{From: KustomizationReady, To: KustomizationDeleting, Trigger: "deleted"},
		{From: KustomizationDeleting, To: Absent, Trigger: "objects pruned"},
	},
}
