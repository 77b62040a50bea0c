package rehearsal

import (
	"time"

	"hearth/internal/domain"
	"hearth/internal/kube"
)

// Options say what to rehearse, and how.
type Options struct {
	// Path is the homelab's repository or a folder inside it. Empty means the
	// example homelab that the binary carries.
	Path string
	// Cluster names the cluster to rehearse where the repository has several.
	Cluster string
	// Pace is how fast simulated durations are played.
	Pace domain.Pace
	// Seed makes simulated durations and made-up values repeat; 0 means the
	// seed of .hearth.yaml, or else 1.
	Seed uint64
	// Offline keeps off the network: charts that neither a mapping nor the
	// cache has are played by stand-ins.
	Offline bool
	// VerifyImages looks the pods' images up at their registries.
	VerifyImages bool
	// Sources maps chart URLs to folders, before what .hearth.yaml maps.
	Sources map[string]string
	// Vault names a vault file, instead of what .hearth.yaml names.
	Vault string
	// AssumeSecrets makes up what the vault file lacks; without a vault file
	// all values are made up.
	AssumeSecrets bool
	// CacheDir is where fetched charts are kept; empty means the user's cache folder.
	CacheDir string
	// StateDir keeps the cluster between runs; empty means nothing is kept.
	StateDir string
	// Address is where the API server listens; empty means a free port on loopback.
	Address string
	// Webhooks is where Receivers' webhooks are answered, such as
	// "127.0.0.1:9292"; empty means nowhere.
	Webhooks string
	// Notify lets Alerts deliver to their Providers. Otherwise an event tells
	// what would be sent.
	Notify bool
	// AllowPrivate lets Providers lead to private and loopback addresses.
	AllowPrivate bool
	// RefusePrivate refuses sources on private networks and on this machine.
	RefusePrivate bool
	// NoCrossNamespaceRefs refuses references to sources, and events, of other
	// namespaces.
	NoCrossNamespaceRefs bool
	// Jitter is the share of an interval, from 0 to 0.5, by which Kustomizations
	// look at their sources earlier or later.
	Jitter float64
	// Faults are what goes wrong, and when.
	Faults []domain.Fault
	// Soak, if set, is what the stage is going to be used for: faults then come
	// at model time, and back-offs are played at the pace.
	Soak *SoakOptions
	// Spoilable lets mistakes be made in the tree later: the stage works on a
	// copy of it.
	Spoilable bool
	// DNS is where DNS queries are answered, such as "127.0.0.1:5353"; empty
	// means a free port on loopback.
	DNS string
	// Timeout is the last resort that ends Settle; 0 means none.
	Timeout time.Duration
	// Kubernetes starts the cluster.
	Kubernetes kube.Starter
}
