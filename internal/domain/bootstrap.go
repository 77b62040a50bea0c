package domain

// BootstrapStage is one step of bringing up a homelab's infrastructure.
type BootstrapStage struct {
	Order     int    `json:"order"` // from 1
	Component string `json:"component"`
	Provides  string `json:"provides"`
	Reason    string `json:"reason"`
	// Names are what Kustomizations and releases of the component are
	// usually called; nil for the last stage, which is everything else.
	Names []string `json:"names,omitempty"`
}

// BootstrapOrder returns the stages in the order in which they must start.
// Dependencies of Kustomizations enforce it.
func BootstrapOrder() []BootstrapStage {
	return []BootstrapStage{
		{1, "Cilium", "networking", "without a CNI nothing works", []string{"cilium"}},
		{2, "CoreDNS", "DNS", "service discovery needs it", []string{"coredns"}},
		{3, "Spegel", "image cache", "makes every later pull faster", []string{"spegel"}},
		{4, "Cert-Manager", "certificates", "HTTPS needs them", []string{"cert-manager"}},
		{5, "External-Secrets", "secrets", "applications need theirs", []string{"external-secrets"}},
		{6, "CloudNative-PG", "database operator", "databases need it", []string{"cloudnative-pg", "cloudnative-pg-operator", "cnpg"}},
		{7, "Envoy Gateway", "routing", "HTTPRoutes need it", []string{"envoy-gateway"}},
		{8, "Applications", "applications", "start once the infrastructure is ready", nil},
	}
}
