package repo

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"

	"go.yaml.in/yaml/v3"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// ConfigFile is the name of the configuration at a repository's root.
const ConfigFile = ".hearth.yaml"

// Config is what a repository says about itself in its .hearth.yaml. The zero
// value is a repository without one.
type Config struct {
	// Clusters declares the clusters by name. Without it they are found.
	Clusters map[string]ClusterConfig `yaml:"clusters"`
	// DefaultCluster is the cluster that is meant where none is named.
	DefaultCluster string `yaml:"defaultCluster"`
	// Vault is the path of the vault file.
	Vault string `yaml:"vault"`
	// Sources maps the URL of a chart or source to a folder of the
	// repository, or to "hearth:NAME" for what Hearth brings itself.
	Sources map[string]string `yaml:"sources"`
	// Nodes are the virtual nodes of a rehearsal.
	Nodes []Node `yaml:"nodes"`
	// KubernetesVersion is the version that the clusters run, for example "v1.34.1".
	KubernetesVersion string `yaml:"kubernetesVersion"`
	// StandIns are rows of the table of kinds that stand-ins play, as they
	// are written; zero without any.
	StandIns yaml.Node `yaml:"standIns"`
	// StorageCapacity is how much room a rehearsal has behind a storage class,
	// by its name, for example 500Gi; without a number there is always enough.
	StorageCapacity map[string]string `yaml:"storageCapacity"`
	// AddressPool is where a rehearsal's load balancers and gateways get addresses
	// that nobody asks for and no pool of the cluster has, as CIDRs such as 192.168.1.32/28.
	AddressPool []string `yaml:"addressPool"`
	// Seed makes rehearsals differ; the same seed repeats one.
	Seed uint64 `yaml:"seed"`

	// SecretStore is where ExternalSecrets are to read from.
	SecretStore SecretStore `yaml:"secretStore"`
	// Gateways tells who can reach what a gateway serves, by the gateway's name or namespace/name.
	Gateways map[string]Gateway `yaml:"gateways"`
	// Exposure is who is to reach an application, by namespace/name; both may hold "*".
	Exposure map[string]string `yaml:"exposure" enum:"public,lan,vpn"`
	// StorageClasses tells what each storage class is for.
	StorageClasses map[string]StorageClass `yaml:"storageClasses"`
	// Charts says which charts applications are made with.
	Charts Charts `yaml:"charts"`
	// Templates says where templates belong.
	Templates Templates `yaml:"templates"`
	// Rules sets the severity of rules and what they leave out, by the rule's name.
	Rules map[string]RuleConfig `yaml:"rules"`
	// Exclude are patterns of files that no rule judges.
	Exclude []string `yaml:"exclude"`

	doc *manifest.Document
}

// ClusterConfig is what .hearth.yaml says about one cluster. What it leaves
// out is the repository's, or is found.
type ClusterConfig struct {
	// Path is the cluster's folder.
	Path string `yaml:"path"`
	// Entry is where Flux starts to read.
	Entry *EntryConfig `yaml:"entry"`
	// Bootstrap is the folder of what is there before Flux.
	Bootstrap string `yaml:"bootstrap"`
	// Networks are the cluster's own, as CIDRs such as 10.0.0.0/16.
	Networks []string `yaml:"networks"`
	// Vault is the path of the cluster's own vault file.
	Vault string `yaml:"vault"`
	// Nodes are the cluster's own virtual nodes.
	Nodes []Node `yaml:"nodes"`
	// KubernetesVersion is the version that the cluster runs.
	KubernetesVersion string `yaml:"kubernetesVersion"`
	// AddressPool is the cluster's own pool of addresses.
	AddressPool []string `yaml:"addressPool"`
}

// Of returns what holds for one cluster: its own settings, completed by the
// repository's.
func (c Config) Of(cluster string) ClusterConfig {
	own := c.Clusters[cluster]
	own.Vault = cmp.Or(own.Vault, c.Vault)
	own.KubernetesVersion = cmp.Or(own.KubernetesVersion, c.KubernetesVersion)
	if own.Nodes == nil {
		own.Nodes = c.Nodes
	}
	if own.AddressPool == nil {
		own.AddressPool = c.AddressPool
	}
	return own
}

// readConfig reads .hearth.yaml, if there is one.
func readConfig(root *os.Root) (Config, error) {
	if _, err := root.Lstat(ConfigFile); errors.Is(err, fs.ErrNotExist) {
		return Config{}, nil
	}
	data, err := manifest.Read(root, ConfigFile)
	if err != nil {
		return Config{}, err
	}
	return ParseConfig(data)
}

// ParseConfig reads the text of a .hearth.yaml. Unknown fields, paths that
// lead out of the repository, and values outside what a field can take are
// errors with their line.
func ParseConfig(data []byte) (Config, error) {
	var c Config
	docs, err := manifest.Parse(ConfigFile, data)
	switch {
	case err != nil:
		return Config{}, err
	case len(docs) == 0:
		return Config{}, nil
	case len(docs) > 1:
		return Config{}, configProblem(docs[1].Line, "a configuration is one document, this is a second one")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil {
		return Config{}, strictProblem(err)
	}
	c.doc = docs[0]
	return c, c.validate()
}

// Declared reports whether the owner has set a field, rather than left it to
// its default.
func (c Config) Declared(path ...string) bool {
	if c.doc == nil {
		return false
	}
	_, ok := c.doc.Find(path...)
	return ok
}

// Place returns where a field stands, or else the last one on the way to it.
// It is unknown where there is no configuration.
func (c Config) Place(path ...string) domain.Place {
	if c.doc == nil {
		return domain.Place{}
	}
	return c.doc.Place(path...)
}

// line returns the line of a field; 0 without a configuration.
func (c Config) line(path ...string) int {
	if c.doc == nil {
		return 0
	}
	return c.doc.FieldLine(path...)
}
