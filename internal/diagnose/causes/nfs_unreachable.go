package causes

import (
	"regexp"

	"hearth/internal/diagnose"
)

var nfsUnreachable = &diagnose.Cause{
	Name:     "nfs-unreachable",
	Title:    "The NFS server does not answer",
	Symptom:  "Pods with a volume of one server stay in ContainerCreating.",
	Evidence: "The kubelet's event FailedMount says that the mount timed out or was refused, and the pod has a volume of that server.",
	Why:      "A mount waits for its server: while that is down or unreachable no pod with it starts.",
	Fix:      "Start the server or its export again; correct the server's address or path in the values.",
	Section:  "Capsule: StorageClassSelection",
	Find: func(s *diagnose.Search) {
		for _, p := range s.All(diagnose.Pod) {
			h, ok := eventOf(s, p.Key, failedMount, "FailedMount")
			if s.Trouble(p) == nil || !ok {
				continue
			}
			for _, server := range serversOf(s, p) {
				git := subject(s, p)
				s.Report(diagnose.Finding{
					Subject: diagnose.Key{Kind: "NFSServer", Name: server}, Explains: []diagnose.Key{p.Key}, At: diagnose.Locus{Key: git.Key, Text: server, Field: []string{"spec", "values", "persistence"}},
					Sentence: "The NFS server " + server + " does not answer.", Evidence: []diagnose.Evidence{event(h)}, Commands: diagnose.Show(p.Key),
				})
			}
		}
	},
}

var failedMount = regexp.MustCompile(`(?i)mount(?:ing)?.*(?:failed|timed out)|timed out|no route to host|connection (?:refused|timed out)|unreachable|not respond|access denied by server`)

// serversOf returns the NFS servers of a pod's volumes.
func serversOf(s *diagnose.Search, p *diagnose.Object) []string {
	var servers []string
	for _, v := range p.List("spec", "volumes") {
		if server := v.Text("nfs", "server"); server != "" {
			servers = append(servers, server)
		}
		claim := s.Get(diagnose.Claim.Key(p.Namespace, v.Text("persistentVolumeClaim", "claimName")))
		if claim == nil {
			continue
		}
		if volume := s.Get(diagnose.Volume.Key("", claim.Text("spec", "volumeName"))); volume != nil {
			server := or(volume.Text("spec", "nfs", "server"), volume.Text("spec", "csi", "volumeAttributes", "server"))
			if server != "" {
				servers = append(servers, server)
			}
		}
	}
	return servers
}
