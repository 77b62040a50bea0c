package causes

import (
	"hearth/internal/diagnose"
)

var itemMissing = &diagnose.Cause{
	Name:     "item-missing",
	Title:    "The vault has no such item",
	Symptom:  "An ExternalSecret is Failed, its Secret is missing, and its pods wait.",
	Evidence: "The ExternalSecret's Ready condition says that no item of the name is in the vault, and no item is called nearly so.",
	Why:      "External Secrets cannot make a Secret of an item that does not exist, and a pod does not start without the Secrets it names.",
	Fix:      "Make the item in the vault with the fields that the ExternalSecret reads, or name another one in dataFrom.extract.key.",
	Section:  "ExternalSecret Failed to Sync", Scenario: "Missing 1Password entry",
	Find: func(s *diagnose.Search) { findItems(s, false) },
}
