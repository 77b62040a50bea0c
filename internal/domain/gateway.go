package domain

// Exposure is who can reach an application.
type Exposure string

// The exposures, from the widest on; their texts are what `--expose` takes.
const (
	PublicExposure Exposure = "public"
	LANExposure    Exposure = "lan"
	VPNExposure    Exposure = "vpn"
)

// GatewayChoice says which gateway serves an exposure. Gateway and Address
// are one homelab's values and only defaults of the configuration; Address is
// empty where no gateway of the cluster is involved.
type GatewayChoice struct {
	Exposure       Exposure `json:"exposure"`
	Pattern        string   `json:"pattern"`
	Gateway        string   `json:"gateway"`
	Address        string   `json:"address,omitempty"`
	DNS            string   `json:"dns"`
	Authentication string   `json:"authentication"`
}

// GatewaySelection returns the decision table of exposure.
func GatewaySelection() []GatewayChoice {
	return []GatewayChoice{
		{PublicExposure, "Public internet", "envoy-external", "10.11.1.22", "Public DNS", "App-level"},
		{LANExposure, "Private LAN only", "envoy-internal", "10.11.1.21", "Private DNS", "Network-level"},
		{VPNExposure, "VPN only", "Cloudflare Tunnel", "", "CNAME", "Cloudflare"},
	}
}
