package repo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// SecretStore names the store of secrets.
type SecretStore struct {
	// Kind is ClusterSecretStore or SecretStore.
	Kind string `yaml:"kind" enum:"ClusterSecretStore,SecretStore"`
	// Name is the store's name.
	Name string `yaml:"name"`
}

// Gateway is what .hearth.yaml says about a gateway.
type Gateway struct {
	// Exposure is who can reach what the gateway serves: public, lan or vpn.
	Exposure string `yaml:"exposure" enum:"public,lan,vpn" required:"true"`
}

// StorageClass is what .hearth.yaml says about a storage class.
type StorageClass struct {
	// For lists what the class is for: database, config, shared, media, cache.
	For []string `yaml:"for" enum:"database,config,shared,media,cache"`
}

// Charts says which charts applications are made with.
type Charts struct {
	// Default is the name of the chart that applications use.
	Default string `yaml:"default"`
	// Vendor are patterns of the names of other charts that are allowed.
	Vendor []string `yaml:"vendor"`
}

// Templates says where templates belong.
type Templates struct {
	// Folders are names of folders anywhere, or patterns of paths from the
	// root, in which templates (.j2) are right.
	Folders []string `yaml:"folders"`
}

// RuleConfig is what .hearth.yaml says about a rule. It is written as a
// severity alone, or as a mapping.
type RuleConfig struct {
	// Severity replaces that of the rule's findings; off silences the rule,
	// and nothing leaves them as they are.
	Severity string `yaml:"severity" enum:"off,info,warning,error"`
	// Exclude are patterns of files, or of objects as namespace/name, that the
	// rule does not judge.
	Exclude []string `yaml:"exclude"`
}

// UnmarshalYAML reads either form.
func (r *RuleConfig) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*r = RuleConfig{Severity: n.Value}
		return nil
	}
	// A decoder's strictness does not reach what a type decodes itself.
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i]; key.Value != "severity" && key.Value != "exclude" {
				return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: field %s not found in type repo.RuleConfig", key.Line, key.Value)}}
			}
		}
	}
	type plain RuleConfig
	return n.Decode((*plain)(r))
}

// ExposureOf returns who is to reach an application, as the owner declares it.
// Its own name goes before a pattern, and a longer pattern before a shorter one.
func (c Config) ExposureOf(namespace, name string) (exposure string, declared bool) {
	app := namespace + "/" + name
	if exposure, ok := c.Exposure[app]; ok {
		return exposure, true
	}
	best := ""
	for pattern := range c.Exposure {
		if Match(pattern, app) && (best == "" || cmp.Or(len(pattern)-len(best), strings.Compare(best, pattern)) > 0) {
			best = pattern
		}
	}
	return c.Exposure[best], best != ""
}

// Allows reports whether a chart of that name may be used beside the default.
func (c Charts) Allows(chart string) bool {
	return chart == c.Default || slices.ContainsFunc(c.Vendor, func(pattern string) bool { return Match(pattern, chart) })
}

// Allow reports whether a template may stand in a file of that path.
func (t Templates) Allow(file string) bool {
	return slices.ContainsFunc(t.Folders, func(folder string) bool {
		if folder = strings.TrimSuffix(folder, "/"); !strings.Contains(folder, "/") {
			folder = "**/" + folder
		}
		return Match(folder+"/**", file)
	})
}
