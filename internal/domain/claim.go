package domain

// The states of a PersistentVolumeClaim.
const (
	ClaimPending      State = "Pending"
	ClaimProvisioning State = "Provisioning"
	ClaimBound        State = "Bound"
	ClaimResizing     State = "Resizing"
	ClaimLost         State = "Lost"
	ClaimDeleting     State = "Deleting"
)

var claimMachine = Machine{
	Name:    "pvc",
	Kind:    "PersistentVolumeClaim",
	Meaning: "how an application gets its volume; pods that mount it wait until it is Bound",
	Initial: ClaimPending,
	States: []StateInfo{
		{State: ClaimPending, Meaning: "waits for a pod that uses it, for a volume that fits, or for its storage class"},
		{State: ClaimProvisioning, Meaning: "its provisioner has been asked for a volume"},
		{State: ClaimBound, Meaning: "it has its volume", Ready: true},
		{State: ClaimResizing, Meaning: "it has its volume, which is growing", Ready: true},
		{State: ClaimLost, Meaning: "its volume is gone, and the data with it", Failed: true},
		{State: ClaimDeleting, Meaning: "being deleted; it stays while a pod uses it", Terminal: true},
	},
	Transitions: []Transition{
		{From: Absent, To: ClaimPending, Trigger: "created"},
		{From: ClaimPending, To: ClaimProvisioning, Trigger: "provisioner asked"},
		{From: ClaimPending, To: ClaimBound, Trigger: "bound to a volume that was there"},
		{From: ClaimProvisioning, To: ClaimBound, Trigger: "volume made"},
		{From: ClaimProvisioning, To: ClaimPending, Trigger: "node given up, scheduled anew"},
		{From: ClaimBound, To: ClaimResizing, Trigger: "more asked for"},
		{From: ClaimResizing, To: ClaimBound, Trigger: "grown"},
		{From: ClaimBound, To: ClaimLost, Trigger: "volume gone"},
		{From: ClaimResizing, To: ClaimLost, Trigger: "volume gone"},
		{From: ClaimPending, To: ClaimLost, Trigger: "named volume gone"},
		{From: ClaimPending, To: ClaimDeleting, Trigger: "deleted"},
		{From: ClaimProvisioning, To: ClaimDeleting, Trigger: "deleted"},
		{From: ClaimBound, To: ClaimDeleting, Trigger: "deleted"},
		{From: ClaimResizing, To: ClaimDeleting, Trigger: "deleted"},
		{From: ClaimLost, To: ClaimDeleting, Trigger: "deleted"},
		{From: ClaimDeleting, To: Absent, Trigger: "released by its pods"},
	},
}
