package repo

// EntryConfig is a declared entry. Only Path is needed.
type EntryConfig struct {
	// Kind is the source's kind, for example GitRepository.
	Kind string `yaml:"kind"`
	// URL is where the source reads from.
	URL string `yaml:"url"`
	// Ref is what the source follows, for example refs/heads/main.
	Ref string `yaml:"ref"`
	// Path is the folder where Flux starts to read.
	Path string `yaml:"path"`
	// Namespace is the one of the source and the first Kustomization.
	Namespace string `yaml:"namespace"`
	// Name is that of the source and the first Kustomization.
	Name string `yaml:"name"`
}

// Node is a virtual node.
type Node struct {
	// Name is the node's name.
	Name string `yaml:"name" required:"true"`
	// Labels are what selectors of pods look for.
	Labels map[string]string `yaml:"labels"`
	// Taints keep pods off the node.
	Taints []Taint `yaml:"taints"`
	// Capacity holds quantities by resource, for example cpu: "8".
	Capacity map[string]string `yaml:"capacity"`
	// Zone is where the node stands: its label topology.kubernetes.io/zone.
	Zone string `yaml:"zone"`
	// Devices says how many devices a resource driver offers on the node, for example gpu.intel.com: 1.
	Devices map[string]uint64 `yaml:"devices"`
}

// Taint keeps pods off a node.
type Taint struct {
	// Key is the taint's key.
	Key string `yaml:"key"`
	// Value is the taint's value.
	Value string `yaml:"value"`
	// Effect is what befalls pods that do not tolerate the taint, for example NoSchedule.
	Effect string `yaml:"effect"`
}
