package causes

import (
	"hearth/internal/diagnose"
)

var storageClassMissing = &diagnose.Cause{
	Name:     "storage-class-missing",
	Title:    "The StorageClass does not exist",
	Symptom:  "A claim is not bound, and its pods stay Pending.",
	Evidence: "The claim names a StorageClass that the cluster does not have.",
	Why:      "Nobody makes a volume for a class that does not exist.",
	Fix:      "Correct storageClassName, or install what brings the class.",
	Section:  "Capsule: StorageClassSelection",
	Find: func(s *diagnose.Search) {
		for _, c := range s.All(diagnose.Claim) {
			class := c.Text("spec", "storageClassName")
			key := diagnose.StorageClass.Key("", class)
			if s.Trouble(c) == nil || class == "" || c.Text("spec", "volumeName") != "" || !s.Missing(key) {
				continue
			}
			s.Report(diagnose.Finding{
				Subject: key, Explains: []diagnose.Key{c.Key}, At: diagnose.Locus{Key: s.InGit(c).Key, Text: class},
				Sentence: "There is no StorageClass " + class + ", which " + c.Ref().String() + " asks for.",
				Evidence: []diagnose.Evidence{absent(key), trouble(s, c)}, Commands: append(diagnose.Show(c.Key), "kubectl get storageclass"),
			})
		}
	},
}
