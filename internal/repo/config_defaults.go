package repo

import (
	"cmp"

	"hearth/internal/domain"
)

// WithDefaults returns the configuration with what it leaves out filled in by
// the domain model's own values. A table that the owner has written is whole:
// nothing is added to it.
func (c Config) WithDefaults() Config {
	c.SecretStore.Kind = cmp.Or(c.SecretStore.Kind, "ClusterSecretStore")
	c.SecretStore.Name = cmp.Or(c.SecretStore.Name, "onepassword-connect")
	if c.Gateways == nil {
		c.Gateways = defaultGateways()
	}
	if c.StorageClasses == nil {
		c.StorageClasses = defaultStorageClasses()
	}
	c.Charts.Default = cmp.Or(c.Charts.Default, "app-template")
	if c.Charts.Vendor == nil {
		c.Charts.Vendor = []string{"cilium", "cert-manager", "cloudnative-pg"}
	}
	if c.Templates.Folders == nil {
		c.Templates.Folders = []string{"talos", "bootstrap"}
	}
	return c
}

// defaultGateways are those of the decision table that are gateways of a cluster.
func defaultGateways() map[string]Gateway {
	gateways := map[string]Gateway{}
	for _, choice := range domain.GatewaySelection() {
		if choice.Address != "" {
			gateways[choice.Gateway] = Gateway{Exposure: string(choice.Exposure)}
		}
	}
	return gateways
}

// defaultStorageClasses are those of the decision table that are classes; the
// rest are NFS mounts and folders of the node.
func defaultStorageClasses() map[string]StorageClass {
	classes := map[string]StorageClass{}
	for _, choice := range domain.StorageClassSelection() {
		switch choice.Use {
		case domain.DatabaseStorage:
			classes[choice.Class] = StorageClass{For: []string{string(choice.Use), configStorage}}
		case domain.SharedStorage:
			classes[choice.Class] = StorageClass{For: []string{string(choice.Use)}}
		}
	}
	return classes
}

// configStorage is the use that the decision table counts to the databases'.
const configStorage = "config"
