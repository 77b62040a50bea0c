package repo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var (
	storeKinds  = []string{"ClusterSecretStore", "SecretStore"}
	exposures   = []string{"public", "lan", "vpn"}
	storageUses = []string{"database", "config", "shared", "media", "cache"}
	severities  = []string{"off", "info", "warning", "error"}
)

// checkJudgement checks the fields that say how the repository is judged.
func (c Config) checkJudgement(report func(string, ...string)) {
	oneOf := func(value string, choices []string, path ...string) {
		if !slices.Contains(choices, value) {
			report(fmt.Sprintf("%q is none of %s", value, strings.Join(choices, ", ")), path...)
		}
	}
	patterns := func(list []string, path ...string) {
		for i, p := range list {
			if err := checkPattern(p); err != nil {
				report(fmt.Sprintf("the pattern %q %v", p, err), append(path, strconv.Itoa(i))...)
			}
		}
	}
	if c.SecretStore.Kind != "" {
		oneOf(c.SecretStore.Kind, storeKinds, "secretStore", "kind")
	}
	for name, g := range c.Gateways {
		oneOf(g.Exposure, exposures, "gateways", name, "exposure")
	}
	for app, exposure := range c.Exposure {
		if err := checkPattern(app); err != nil || strings.Count(app, "/") != 1 {
			report(fmt.Sprintf("%q is no application: write namespace/name, where both may hold *", app), "exposure", app)
		}
		oneOf(exposure, exposures, "exposure", app)
	}
	for name, class := range c.StorageClasses {
		for i, use := range class.For {
			oneOf(use, storageUses, "storageClasses", name, "for", strconv.Itoa(i))
		}
	}
	patterns(c.Charts.Vendor, "charts", "vendor")
	patterns(c.Templates.Folders, "templates", "folders")
	patterns(c.Exclude, "exclude")
	for name, r := range c.Rules {
		if r.Severity != "" {
			oneOf(r.Severity, severities, "rules", name, "severity")
		}
		patterns(r.Exclude, "rules", name, "exclude")
	}
}
