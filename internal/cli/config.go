package cli

import (
	"github.com/spf13/cobra"

	"hearth/internal/repo"
)

// newConfigCommand tells about the configuration file.
func newConfigCommand(p Process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Tell about the configuration file " + repo.ConfigFile,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of " + repo.ConfigFile + ", for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := p.Stdout.Write(repo.ConfigSchema)
			return err
		},
	})
	return cmd
}
