package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hearth/internal/onepassword"
)

// newVaultTokenCommand makes tokens for the Connect API.
func newVaultTokenCommand(p Process) *cobra.Command {
	var f vaultFileFlags
	var vaults []string
	var write, remove bool
	var expires time.Duration
	cmd := &cobra.Command{
		Use:   "token NAME",
		Short: "Make a token with which vault serve lets somebody in, and print it",
		Long: `Make a token with which hearth vault serve lets somebody in, and print it: this
once, since the vault file keeps only its digest. A token of the same name is
replaced. It reads all vaults, unless --vault says which.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if expires < 0 {
				return errors.New("--expires takes a duration from now on, such as 720h")
			}
			if remove {
				return f.change(func(d *onepassword.Document) error { return removeToken(d, args[0]) })
			}
			value, digest := onepassword.NewToken()
			token := onepassword.Token{Name: args[0], Digest: digest, Vaults: vaults, Write: write}
			if expires > 0 {
				token.Expires = time.Now().UTC().Add(expires).Truncate(time.Second)
			}
			err := f.change(func(d *onepassword.Document) error {
				for _, name := range vaults {
					if _, err := d.Content().Vault(name); err != nil {
						return err
					}
				}
				return d.PutToken(token)
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.Stdout, value.Reveal())
			return err
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&vaults, "vault", nil, "a vault that it reaches; can be repeated")
	flags.BoolVar(&write, "write", false, "let it add, change and delete items, too")
	flags.DurationVar(&expires, "expires", 0, "how long it lasts, such as 720h; for ever where it is not given")
	flags.BoolVar(&remove, "remove", false, "take the token back")
	return cmd
}

func removeToken(d *onepassword.Document, name string) error {
	for _, t := range d.Content().Tokens {
		if t.Name == name {
			return d.RemoveToken(name)
		}
	}
	return fmt.Errorf("there is no token %q", name)
}
