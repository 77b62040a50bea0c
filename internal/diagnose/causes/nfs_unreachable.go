package causes

import (
	"regexp"
	"slices"
	"strings"

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
			for _, server := range serversOf(s, p, h.Message) {
				git := subject(s, p)
				s.Report(diagnose.Finding{
					Subject: diagnose.Key{Kind: "NFSServer", Name: server}, Explains: []diagnose.Key{p.Key}, At: diagnose.Locus{Key: git.Key, Text: server, Field: []string{"spec", "values", "persistence"}},
					Sentence: "The NFS server " + server + " does not answer.", Evidence: []diagnose.Evidence{event(h)}, Commands: diagnose.Show(p.Key),
				})
			}
		}
	},
}

var (
	failedMount   = regexp.MustCompile(`(?i)mount(?:ing)?.*(?:failed|timed out)|timed out|no route to host|connection (?:refused|timed out)|unreachable|not respond|access denied by server`)
	mountedVolume = regexp.MustCompile(`for volume "([^"]+)"|unmounted volumes=\[([^\]]*)\]`)
)

// serversOf returns the NFS servers of those of a pod's volumes that a message
// of the kubelet is about; where it names none, of all.
func serversOf(s *diagnose.Search, p *diagnose.Object, message string) []string {
	var servers, named []string
	if found := mountedVolume.FindStringSubmatch(message); found != nil {
		named = strings.Fields(found[1] + found[2])
	}
	for _, v := range p.List("spec", "volumes") {
		server, volume := serverOf(s, p, v)
		if server != "" && (named == nil || slices.Contains(named, v.Text("name")) || slices.Contains(named, volume)) {
			servers = append(servers, server)
		}
	}
	return servers
}

// serverOf returns the NFS server of a pod's volume, and the name of the
// PersistentVolume, which is what the kubelet calls a claim's.
func serverOf(s *diagnose.Search, p *diagnose.Object, v diagnose.Fields) (server, volume string) {
	if server := v.Text("nfs", "server"); server != "" {
		return server, ""
	}
	claim := s.Get(diagnose.Claim.Key(p.Namespace, v.Text("persistentVolumeClaim", "claimName")))
	if claim == nil {
		return "", ""
	}
	volume = claim.Text("spec", "volumeName")
	pv := s.Get(diagnose.Volume.Key("", volume))
	if pv == nil {
		return "", volume
	}
	return or(pv.Text("spec", "nfs", "server"), pv.Text("spec", "csi", "volumeAttributes", "server")), volume
}
