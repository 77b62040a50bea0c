package cli

import (
	"cmp"

	"github.com/spf13/cobra"

	"hearth/internal/secrets"
)

func newSecretsLockCommand(p Process) *cobra.Command {
	var f vaultFlags
	cmd := &cobra.Command{
		Use:   "lock [PATH]",
		Short: "Write down the names of the items and fields that the vaults have, for check and rehearsals",
		Long: `Write ` + secrets.LockFile + ` at the root of a homelab's repository: of the
items that the homelab names, the names of all fields that a Connect server or
a vault file has, and no value. It belongs into Git: with it, check and
rehearsals without a vault know that a field is missing or misspelt.`,
		Args: atMostOnePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			surveys, err := f.looked(cmd.Context(), cmp.Or(folderArg(args), "."))
			if err != nil {
				return err
			}
			return relock(p.Stderr, surveys, true)
		},
	}
	f.register(cmd.Flags())
	return cmd
}
