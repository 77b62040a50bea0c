package domain

// The states of a Pod.
const (
	PodPending        State = "Pending"
	PodInit           State = "Init"
	PodWaitingSecrets State = "WaitingSecrets"
	PodPullingImages  State = "PullingImages"
	PodStarting       State = "Starting"
	PodRunning        State = "Running"
	PodCrashLoop      State = "CrashLoop"
	PodFailed         State = "Failed"
	PodTerminating    State = "Terminating"
)

var podMachine = Machine{
	Name:    "pod",
	Kind:    "Pod",
	Meaning: "how a pod comes to run; most that fail do so while waiting for Secrets or pulling images",
	Initial: PodPending,
	States: []StateInfo{
		{State: PodPending, Meaning: "no node yet: a volume is unbound or no node fits"},
		{State: PodInit, Meaning: "on a node; init containers come first"},
		{State: PodWaitingSecrets, Meaning: "a Secret or ConfigMap that it refers to is missing"},
		{State: PodPullingImages, Meaning: "fetching images"},
		{State: PodStarting, Meaning: "containers start; probes have not passed"},
		{State: PodRunning, Meaning: "containers run, or have completed", Ready: true},
		{State: PodCrashLoop, Meaning: "a container keeps exiting; each restart waits longer", Failed: true},
		{State: PodFailed, Meaning: "restarts have ended, an image cannot be had, or the start took too long", Failed: true},
		{State: PodTerminating, Meaning: "being deleted", Terminal: true},
	},
	Transitions: []Transition{
		{From: Absent, To: PodPending, Trigger: "created"},
		{From: PodPending, To: PodInit, Trigger: "node assigned"},
		{From: PodInit, To: PodWaitingSecrets, Trigger: "init containers begin"},
		{From: PodWaitingSecrets, To: PodPullingImages, Trigger: "Secrets at hand"},
		{From: PodPullingImages, To: PodStarting, Trigger: "images at hand"},
		{From: PodStarting, To: PodRunning, Trigger: "containers started"},
		{From: PodRunning, To: PodCrashLoop, Trigger: "container exited"},
		{From: PodCrashLoop, To: PodStarting, Trigger: "restarted", Duration: Duration{Nature: Exponential}},
		{From: PodCrashLoop, To: PodFailed, Trigger: "no restarts left"},
		{From: PodWaitingSecrets, To: PodFailed, Trigger: "Secret never came"},
		{From: PodPullingImages, To: PodFailed, Trigger: "image cannot be pulled"},
		{From: PodStarting, To: PodFailed, Trigger: "start took too long"},
		{From: PodRunning, To: PodTerminating, Trigger: "deleted"},
		{From: PodTerminating, To: Absent, Trigger: "cleaned up"},
		{From: PodFailed, To: PodPullingImages, Trigger: "image pulled after all", Extra: true,
			Why: "a kubelet goes on trying, and a mended image or registry needs nobody's hand"},
	},
}
