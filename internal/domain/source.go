package domain

// The states of a source: a Git or OCI repository, a Helm repository, the chart
// from one, or a bucket.
const (
	SourcePending     State = "Pending"
	SourceReconciling State = "Reconciling"
	SourceReady       State = "Ready"
	SourceFailed      State = "Failed"
	SourceDeleting    State = "Deleting"
)

var sourceMachine = Machine{
	Name:    "source",
	Kind:    "Source",
	Kinds:   []string{"GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket"},
	Meaning: "how what stands elsewhere becomes an artifact; a failed one keeps its last artifact",
	Initial: SourcePending,
	States: []StateInfo{
		{State: SourcePending, Meaning: "not looked at yet"},
		{State: SourceReconciling, Meaning: "being fetched, or about to be"},
		{State: SourceReady, Meaning: "its artifact is what it points to", Ready: true},
		{State: SourceFailed, Meaning: "it cannot be reached, read, or verified; tried again for ever", Failed: true},
		{State: SourceDeleting, Meaning: "being deleted, with its artifact", Terminal: true},
	},
	Transitions: []Transition{
		{From: Absent, To: SourcePending, Trigger: "created"},
		{From: SourcePending, To: SourceReconciling, Trigger: "looked at", Duration: Duration{Nature: Immediate}},
		{From: SourcePending, To: SourceReady, Trigger: "nothing to fetch"},
		{From: SourceReconciling, To: SourceReady, Trigger: "artifact stored"},
		{From: SourceReconciling, To: SourceFailed, Trigger: "unreachable, refused, or not verified"},
		{From: SourceReady, To: SourceReconciling, Trigger: "interval, webhook, or new revision"},
		{From: SourceFailed, To: SourceReconciling, Trigger: "next try", Duration: Duration{Nature: Exponential}},
		{From: SourcePending, To: SourceDeleting, Trigger: "deleted"},
		{From: SourceReconciling, To: SourceDeleting, Trigger: "deleted"},
		{From: SourceReady, To: SourceDeleting, Trigger: "deleted"},
		{From: SourceFailed, To: SourceDeleting, Trigger: "deleted"},
		{From: SourceDeleting, To: Absent, Trigger: "artifact removed"},
	},
}
