package causes

import (
	"hearth/internal/diagnose"
)

var claimUnbound = &diagnose.Cause{
	Name:     "claim-unbound",
	Title:    "A claim gets no volume",
	Symptom:  "A claim stays Pending, and its pods with it; or a pod names a claim that does not exist.",
	Evidence: "The claim is not bound; its events say what its provisioner waits for, if it says anything.",
	Why:      "A pod starts once all its claims are bound.",
	Fix:      "Look at the provisioner's pods and the claim's events; correct the claim's class, size, access mode or name.",
	Section:  "Pod Lifecycle", Yields: true,
	Unless: []string{"storage-class-missing", "storage-full"},
	Find: func(s *diagnose.Search) {
		for _, c := range s.All(diagnose.Claim) {
			if !s.Acute(c) {
				continue
			}
			f := diagnose.Finding{
				Subject: c.Key, Sentence: c.Ref().String() + " is not bound to a volume.", At: diagnose.Locus{Key: s.InGit(c).Key, Text: or(c.Text("spec", "storageClassName"), c.Name)},
				Evidence: []diagnose.Evidence{trouble(s, c)}, Commands: diagnose.Show(c.Key), Confidence: diagnose.Medium,
			}
			if h, ok := eventOf(s, c.Key, nil, "ProvisioningFailed", "ExternalProvisioning", "FailedBinding", "Provisioning",
				"VolSyncPopulatorReplicationDestinationMissing", "VolSyncPopulatorReplicationDestinationNoLatestImage", "VolSyncPopulatorError"); ok {
				f.Evidence = append(f.Evidence, event(h))
			}
			s.Report(f)
		}
		for _, p := range s.All(diagnose.Pod) {
			if s.Trouble(p) == nil {
				continue
			}
			for _, k := range s.Needs(p) {
				if k.Kind != diagnose.Claim.Name || !s.Missing(k) {
					continue
				}
				s.Report(diagnose.Finding{
					Subject: k, Explains: []diagnose.Key{p.Key}, At: diagnose.Locus{Key: subject(s, p).Key, Text: k.Name},
					Sentence: diagnose.RefOf(k).String() + ", which " + p.Ref().String() + " mounts, does not exist.",
					Evidence: []diagnose.Evidence{absent(k), trouble(s, p)}, Commands: append(diagnose.Show(p.Key), "kubectl get pvc -n "+k.Namespace),
				})
			}
		}
	},
}
