package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/onepassword"
	"hearth/internal/onepassword/sealed"
	"hearth/internal/repo"
)

// newVaultInitCommand makes a vault file.
func newVaultInitCommand(p Process) *cobra.Command {
	var f vaultFileFlags
	var name string
	var recipients []string
	var plain bool
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Make a vault file, and the age identity that opens it if there is none",
		Long: `Make a vault file (vault.age), encrypted for your age identity and for every
--recipient. The identity is made, too, if there is none: whoever has its file
can read the vault, and without it nobody can, so keep a copy elsewhere.
With --plain the file (vault.yaml) is not encrypted: for examples only.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := f.file
			if len(args) == 1 {
				path = args[0]
			}
			if path == "" && plain {
				path = "vault.yaml"
			}
			if path == "" {
				path = "vault.age"
			}
			text := "vaults:\n  - name: " + fmt.Sprintf("%q", name) + "\n    items: []\n"
			if plain {
				return makeVault(p, path, "", false, text)
			}
			return makeSealedVault(p, path, f.identity, recipients, text)
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&name, "vault", "Kubernetes", "the name of the first vault")
	flags.StringArrayVarP(&recipients, "recipient", "r", nil, "who may open it besides (age1…); can be repeated")
	flags.BoolVar(&plain, "plain", false, "do not encrypt: for examples")
	return cmd
}

func makeSealedVault(p Process, path, identity string, recipients []string, text string) error {
	if identity == "" {
		var err error
		if identity, err = sealed.DefaultIdentity(); err != nil {
			return err
		}
	}
	own, made, err := sealed.EnsureIdentity(identity)
	if err != nil {
		return failure{exitFailed, err}
	}
	if made {
		fmt.Fprintf(p.Stderr, "hearth: made the age identity %s: keep a copy of it elsewhere, nothing else opens the vault\n", identity)
	}
	var list strings.Builder
	list.WriteString("# Who can open this file. Whoever is added here can from the next change on.\nrecipients:\n")
	for _, r := range append(own, recipients...) {
		fmt.Fprintf(&list, "  - %q\n", r)
	}
	return makeVault(p, path, identity, true, list.String()+text)
}

func makeVault(p Process, path, identity string, sealed bool, text string) error {
	d, err := onepassword.NewDocument(path, identity, sealed, []byte(text))
	if err != nil {
		return err
	}
	if err := d.Save(); err != nil {
		return failure{exitFailed, err}
	}
	fmt.Fprintf(p.Stdout, "made %s: name it in %s (vault: %s), and fill it with hearth vault edit, set or import\n", path, repo.ConfigFile, path)
	return nil
}
