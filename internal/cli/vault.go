package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"hearth/internal/onepassword"
	"hearth/internal/repo"
)

// newVaultCommand keeps the file that stands in for 1Password.
func newVaultCommand(p Process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vault",
		Short: "Keep the vault file: the secrets of a homelab, encrypted with age",
		Long: `Keep the vault file: vaults, items and fields as 1Password has them, encrypted
with age or, for examples, in plain YAML. A rehearsal reads it in the place of
1Password; hearth vault serve speaks the Connect API from it.

The file is the one of --file, of HEARTH_VAULT, or that .hearth.yaml names here
or in a folder above. What opens it is the age identity of --identity, of
HEARTH_VAULT_IDENTITY, or hearth/vault.key in your configuration folder.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newVaultInitCommand(p),
		newVaultEditCommand(p),
		newVaultSetCommand(p),
		newVaultGetCommand(p),
		newVaultListCommand(p),
		newVaultImportCommand(p),
		newVaultTokenCommand(p),
		newVaultServeCommand(p),
	)
	return cmd
}

// vaultFileFlags say which vault file is meant.
type vaultFileFlags struct {
	file, identity, cluster string
}

func (f *vaultFileFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "the vault file; HEARTH_VAULT, or that of "+repo.ConfigFile+", where it is not given")
	flags.StringVarP(&f.identity, "identity", "i", "", "the file with the age identity that opens it")
	flags.StringVar(&f.cluster, "cluster", "", "the cluster whose vault file is meant")
}

// path returns the vault file that is meant.
func (f *vaultFileFlags) path() (string, error) {
	if f.file != "" {
		return f.file, nil
	}
	if named := os.Getenv("HEARTH_VAULT"); named != "" {
		return named, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", repo.ConfigFile, err)
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, repo.ConfigFile))
		if err == nil {
			return f.configured(dir, data)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("read %s: %w", repo.ConfigFile, err)
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", fmt.Errorf("no vault file is named: give --file, or set vault in %s (hearth vault init makes one)", repo.ConfigFile)
		}
		dir = above
	}
}

func (f *vaultFileFlags) configured(dir string, data []byte) (string, error) {
	config, err := repo.ParseConfig(data)
	if err != nil {
		return "", err
	}
	cluster := f.cluster
	if cluster == "" {
		cluster = config.DefaultCluster
	}
	if vault := config.Of(cluster).Vault; vault != "" {
		return filepath.Join(dir, vault), nil
	}
	return "", fmt.Errorf("%s names no vault file: give --file, or set vault there", filepath.Join(dir, repo.ConfigFile))
}

// content reads the vault file.
func (f *vaultFileFlags) content() (onepassword.Content, error) {
	path, err := f.path()
	if err != nil {
		return onepassword.Content{}, err
	}
	return onepassword.Load(path, f.identity)
}

// document reads the vault file to change it.
func (f *vaultFileFlags) document() (*onepassword.Document, error) {
	path, err := f.path()
	if err != nil {
		return nil, err
	}
	return onepassword.OpenDocument(path, f.identity)
}

// change opens the vault file, changes it and saves it.
func (f *vaultFileFlags) change(change func(*onepassword.Document) error) error {
	d, err := f.document()
	if err != nil {
		return err
	}
	if err := change(d); err != nil {
		return failure{exitFailed, err}
	}
	if err := d.Save(); err != nil {
		return failure{exitFailed, err}
	}
	return nil
}

// isTyped reports whether input comes from somebody at a terminal.
func isTyped(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
