package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"hearth/internal/onepassword"
	"hearth/internal/secrets"
)

func newSecretsTemplateCommand(p Process) *cobra.Command {
	var (
		f       vaultFlags
		missing bool
	)
	cmd := &cobra.Command{
		Use:   "template [PATH]",
		Short: "Print a vault file with everything that a homelab needs, values to be filled in",
		Long: `Print a vault file with the items and fields that a homelab needs, each with who
needs it, and the values to be filled in. With --missing it is only what the
vault file or the Connect server lacks.`,
		Args: atMostOnePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			surveys, done, err := onHomelab(p, folderArg(args), "reading", func(path string) ([]*secrets.Survey, error) {
				if missing {
					return f.looked(cmd.Context(), path)
				}
				return f.look(cmd.Context(), path, f.atHand)
			})
			defer done()
			if err != nil {
				return err
			}
			var needs []secrets.Need
			var vaults []onepassword.Vault
			for _, s := range surveys {
				needs = append(needs, s.Needs...)
				if missing {
					vaults = append(vaults, s.Vaults...)
				}
			}
			text, err := secrets.Skeleton(needs, vaults)
			if err == nil {
				_, err = p.Stdout.Write(text)
			}
			if err != nil {
				return failure{exitFailed, fmt.Errorf("write the vault file: %w", err)}
			}
			return nil
		},
	}
	f.register(cmd.Flags())
	cmd.Flags().BoolVar(&missing, "missing", false, "only what the vault does not have")
	return cmd
}
