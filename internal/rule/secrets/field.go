package secrets

import (
	"fmt"
	"slices"

	"hearth/internal/domain"
	"hearth/internal/onepassword"
	"hearth/internal/rule"
	needed "hearth/internal/secrets"
)

var secretField = &rule.Rule{
	Name:     "secret-field",
	Topic:    topic,
	Severity: rule.Error,
	Title:    "Every item and field that an ExternalSecret reads is one that the vault has, by the names in " + needed.LockFile,
	Why: "An item or a field that the vault does not have keeps the whole Secret from being made, and every pod that needs it " +
		"waits for ever. 1Password cannot be asked before a push, but a lock knows the names of what it had. " +
		"Without a lock nothing is judged.",
	Remedy:  "Correct the name, or add the item or field in 1Password and run hearth secrets lock, which writes the names down anew.",
	Section: "Scenario: ExternalSecret Failed to Sync",
	Bad: "# .hearth-secrets.lock lists the fields DB_USERNAME and DB_PASSWORD of the item immich\n" +
		"target:\n" +
		"  template:\n" +
		"    data:\n" +
		"      DB_PASSWORD: \"{{ .DB_PASWORD }}\"\n" +
		"dataFrom:\n" +
		"  - extract:\n" +
		"      key: immich\n",
	Good: "target:\n" +
		"  template:\n" +
		"    data:\n" +
		"      DB_PASSWORD: \"{{ .DB_PASSWORD }}\"\n" +
		"dataFrom:\n" +
		"  - extract:\n" +
		"      key: immich\n",
	Check: func(p *rule.Pass) {
		lock, err := needed.ReadLock(p.Repository.Root)
		if err != nil {
			p.Report(rule.Finding{Place: domain.Place{File: needed.LockFile, Line: 1}, Message: err.Error()})
			return
		}
		if lock == nil {
			return
		}
		for _, c := range p.Clusters {
			if vaults, locked := lock.Clusters[c.Name]; locked {
				checkFields(p, c, vaults)
			}
		}
	},
}

// checkFields holds what a cluster needs of 1Password against the lock.
func checkFields(p *rule.Pass, c *rule.Cluster, vaults []onepassword.Vault) {
	needs := slices.DeleteFunc(needed.Of(p.Context, c.State, vaults), func(n needed.Need) bool {
		return !needed.IsOnePassword(n.Store.Provider)
	})
	for _, problem := range needed.Judge(needs, vaults) {
		f := rule.Finding{
			Place: problem.Place, Text: problem.Text, Object: problem.Object,
			Message: fmt.Sprintf("%s, by %s, so that %s never syncs", problem.Message, needed.LockFile, problem.Object),
			Fix:     "correct the name, or add it in 1Password and run hearth secrets lock",
		}
		if problem.Near != "" {
			f.Fix = "write " + problem.Near + ", or add what is missing in 1Password and run hearth secrets lock"
		}
		p.Report(f)
	}
}
