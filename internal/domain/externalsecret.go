package domain

// The states of an ExternalSecret.
const (
	SecretPending    State = "Pending"
	SecretSyncing    State = "Syncing"
	SecretReady      State = "Ready"
	SecretFailed     State = "Failed"
	SecretRefreshing State = "Refreshing"
	SecretUpdated    State = "Updated"
	SecretDeleting   State = "Deleting"
)

var secretMachine = Machine{
	Name:    "externalsecret",
	Kind:    "ExternalSecret",
	Meaning: "how an item of the vault becomes a Secret; pods that need the Secret wait for it without end",
	Initial: SecretPending,
	States: []StateInfo{
		{State: SecretPending, Meaning: "the store is not connected yet", BlocksPods: true},
		{State: SecretSyncing, Meaning: "reading the vault", BlocksPods: true},
		{State: SecretReady, Meaning: "the Secret holds what the vault holds", Ready: true},
		{State: SecretFailed, Meaning: "the item, a field, the template or the store is at fault; tried again for ever", Failed: true, BlocksPods: true},
		{State: SecretRefreshing, Meaning: "comparing the Secret with the vault", Ready: true},
		{State: SecretUpdated, Meaning: "the vault's values changed and are being written", Ready: true},
		{State: SecretDeleting, Meaning: "the Secret goes with it", Terminal: true},
	},
	Transitions: []Transition{
		{From: Absent, To: SecretPending, Trigger: "created"},
		{From: SecretPending, To: SecretSyncing, Trigger: "store ready"},
		{From: SecretSyncing, To: SecretReady, Trigger: "item found, Secret written"},
		{From: SecretSyncing, To: SecretFailed, Trigger: "item missing, wrong path, or store down"},
		{From: SecretReady, To: SecretRefreshing, Trigger: "refresh interval of 12h, or by hand"},
		{From: SecretRefreshing, To: SecretReady, Trigger: "nothing changed"},
		{From: SecretRefreshing, To: SecretUpdated, Trigger: "values changed"},
		{From: SecretRefreshing, To: SecretFailed, Trigger: "item gone, or store down; the last good Secret stays", Extra: true,
			Why: "a refresh reads the vault again, and what makes a first read fail makes it fail, too; the document draws refreshes that succeed"},
		{From: SecretUpdated, To: SecretReady, Trigger: "Secret written"},
		{From: SecretFailed, To: SecretSyncing, Trigger: "next try", Duration: Duration{Nature: Exponential}},
		{From: SecretReady, To: SecretDeleting, Trigger: "deleted"},
		{From: SecretDeleting, To: Absent, Trigger: "Secret removed"},
	},
}
