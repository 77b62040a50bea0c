package domain

// ResourceDependency says what a kind waits for, and what waits for it.
type ResourceDependency struct {
	Kind      string   `json:"kind"`
	DependsOn []string `json:"dependsOn"`
	Blocks    string   `json:"blocks,omitempty"` // empty where nothing waits
	Prune     string   `json:"prune"`            // what happens to it when it leaves Git
}

// ResourceDependencies returns what the kinds of an application wait for.
func ResourceDependencies() []ResourceDependency {
	return []ResourceDependency{
		{"HelmRelease", []string{"chart source", "ExternalSecret (if referenced)"}, "Pods", "cascade delete"},
		{"ExternalSecret", []string{"ClusterSecretStore", "1Password entry"}, "Pods", "delete Secret"},
		{"HTTPRoute", []string{"Gateway", "Service"}, "DNS records", "delete route"},
		{"PVC", []string{"StorageClass"}, "Pods", "retained"},
		{"Pod", []string{"Secret", "PVC", "image"}, "", "immediate"},
	}
}
