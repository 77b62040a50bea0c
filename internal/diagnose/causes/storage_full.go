package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var storageFull = &diagnose.Cause{
	Name:     "storage-full",
	Title:    "The storage has no room",
	Symptom:  "A claim is not bound, and its pods stay Pending.",
	Evidence: "The provisioner's event says that space or quota is used up.",
	Why:      "What makes the volumes has none left of the size that the claim asks for.",
	Fix:      "Make room or add disks; or ask for less in resources.requests.storage.",
	Section:  "Capsule: StorageClassSelection",
	Find: func(s *diagnose.Search) {
		for _, c := range s.All(diagnose.Claim) {
			h, ok := eventOf(s, c.Key, noSpace, "ProvisioningFailed", "VolumeResizeFailed")
			if s.Trouble(c) == nil || !ok {
				continue
			}
			class := diagnose.StorageClass.Key("", c.Text("spec", "storageClassName"))
			s.Report(diagnose.Finding{
				Subject: class, Explains: []diagnose.Key{c.Key}, At: diagnose.Locus{Key: s.InGit(c).Key, Text: or(c.Text("spec", "resources", "requests", "storage"), "storage")},
				Sentence: "The storage behind " + diagnose.RefOf(class).String() + " has no room for " + c.Ref().String() + ".",
				Evidence: []diagnose.Evidence{event(h)}, Commands: diagnose.Show(c.Key, class),
			})
		}
	},
}

// noSpace is how provisioners say that there is no room.
var noSpace = regexp.MustCompile(`(?i)ResourceExhausted|no space left|insufficient (?:capacity|space)|not enough (?:free )?(?:space|capacity)|out of space|quota exceeded|pool\S* (?:is|are) full|disk full|has no room`)
