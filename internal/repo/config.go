package repo

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"

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
	// Seed makes rehearsals differ; the same seed repeats one.
	Seed uint64 `yaml:"seed"`

	doc *manifest.Document
}

// ClusterConfig is what .hearth.yaml says about one cluster. What it leaves
// out is the repository's, or is found.
type ClusterConfig struct {
	Path              string       `yaml:"path"`      // the cluster's folder
	Entry             *EntryConfig `yaml:"entry"`     // where Flux starts to read
	Bootstrap         string       `yaml:"bootstrap"` // folder of what is there before Flux
	Networks          []string     `yaml:"networks"`  // CIDRs
	Vault             string       `yaml:"vault"`
	Nodes             []Node       `yaml:"nodes"`
	KubernetesVersion string       `yaml:"kubernetesVersion"`
}

// EntryConfig is a declared entry. Only Path is needed.
type EntryConfig struct {
	Kind      string `yaml:"kind"`
	URL       string `yaml:"url"`
	Ref       string `yaml:"ref"`
	Path      string `yaml:"path"`
	Namespace string `yaml:"namespace"`
	Name      string `yaml:"name"`
}

// Node is a virtual node.
type Node struct {
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"`
	Taints []Taint           `yaml:"taints"`
	// Capacity holds quantities by resource, for example cpu: "8".
	Capacity map[string]string `yaml:"capacity"`
}

// Taint keeps pods off a node.
type Taint struct {
	Key    string `yaml:"key"`
	Value  string `yaml:"value"`
	Effect string `yaml:"effect"`
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
// lead out of the repository and malformed networks are errors with their line.
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

// line returns the line of a field; 0 without a configuration.
func (c Config) line(path ...string) int {
	if c.doc == nil {
		return 0
	}
	return c.doc.FieldLine(path...)
}

func (c Config) validate() error {
	var problems []error
	report := func(message string, path ...string) {
		problems = append(problems, configProblem(c.line(path...), message))
	}
	inRepository := func(value string, path ...string) {
		if !local(value) {
			report(fmt.Sprintf("%s %q leads out of the repository", path[len(path)-1], value), path...)
		}
	}
	inRepository(c.Vault, "vault")
	for url, target := range c.Sources {
		if !strings.HasPrefix(target, "hearth:") {
			inRepository(target, "sources", url)
		}
	}
	checkNodes(c.Nodes, report, "nodes")
	for name, cluster := range c.Clusters {
		at := []string{"clusters", name}
		inRepository(cluster.Path, append(at, "path")...)
		inRepository(cluster.Vault, append(at, "vault")...)
		inRepository(cluster.Bootstrap, append(at, "bootstrap")...)
		if cluster.Entry != nil {
			inRepository(cluster.Entry.Path, append(at, "entry", "path")...)
		}
		if cluster.Path == "" && (cluster.Entry == nil || cluster.Entry.Path == "") {
			report(fmt.Sprintf("cluster %q needs a path", name), at...)
		}
		for i, network := range cluster.Networks {
			if _, err := netip.ParsePrefix(network); err != nil {
				report(fmt.Sprintf("network %q is no CIDR such as 10.0.0.0/16", network), append(at, "networks", strconv.Itoa(i))...)
			}
		}
		checkNodes(cluster.Nodes, report, append(at, "nodes")...)
	}
	return joinSorted(problems)
}

func checkNodes(nodes []Node, report func(string, ...string), at ...string) {
	names := map[string]bool{}
	for i, n := range nodes {
		item := append(append([]string(nil), at...), strconv.Itoa(i))
		switch {
		case n.Name == "":
			report("a node needs a name", item...)
		case names[n.Name]:
			report(fmt.Sprintf("node %q is listed twice", n.Name), item...)
		}
		names[n.Name] = true
	}
}

func configProblem(line int, message string) *Problem {
	return &Problem{Place: domain.Place{File: ConfigFile, Line: line}, Message: message}
}

func joinSorted(errs []error) error {
	problems := manifest.Problems(errors.Join(errs...))
	sortProblems(problems)
	sorted := make([]error, len(problems))
	for i, p := range problems {
		sorted[i] = p
	}
	return errors.Join(sorted...)
}

var (
	unknownField = regexp.MustCompile(`^line (\d+): field (\S+) not found`)
	wrongShape   = regexp.MustCompile(`^line (\d+): cannot unmarshal \S+(?s:.*) into (\S+)$`)
)

// strictProblem places the errors of a strict decode.
func strictProblem(err error) error {
	var typed *yaml.TypeError
	if !errors.As(err, &typed) {
		return configProblem(0, err.Error())
	}
	var problems []error
	for _, text := range typed.Errors {
		line, message := 0, text
		if m := unknownField.FindStringSubmatch(text); m != nil {
			line, _ = strconv.Atoi(m[1])
			message = fmt.Sprintf("there is no field %q here", m[2])
		} else if m := wrongShape.FindStringSubmatch(text); m != nil {
			line, _ = strconv.Atoi(m[1])
			message = "the value has the wrong shape: expected " + shapes(m[2])
		}
		problems = append(problems, configProblem(line, message))
	}
	return joinSorted(problems)
}

// shapes names a Go type in YAML's words.
func shapes(goType string) string {
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "uint"), strings.HasPrefix(goType, "int"):
		return "a whole number"
	case goType == "string":
		return "text"
	}
	return "a mapping"
}
