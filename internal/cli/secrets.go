package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hearth/internal/onepassword"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/secrets"
)

// newSecretsCommand holds the verbs about what a homelab needs of its vault.
func newSecretsCommand(p Process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secrets",
		Short: "Tell which items and fields of 1Password a homelab needs, and which are missing",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("say what of the secrets: hearth secrets list, verify, template or lock")
		},
	}
	cmd.AddCommand(newSecretsListCommand(p), newSecretsVerifyCommand(p), newSecretsTemplateCommand(p), newSecretsLockCommand(p))
	return cmd
}

// vaultFlags say which vaults to look at.
type vaultFlags struct {
	cluster, vault, connect, tokenFile string
}

func (f *vaultFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.cluster, "cluster", "", "one cluster only")
	flags.StringVar(&f.vault, "vault", "", "the vault file to look at (default that of .hearth.yaml)")
	flags.StringVar(&f.connect, "connect", "", "the URL of the 1Password Connect server to look at (default $OP_CONNECT_HOST, where there is no vault file)")
	flags.StringVar(&f.tokenFile, "token-file", "", "the file with the server's token (default $OP_CONNECT_TOKEN)")
}

// source returns the vaults to look at for a cluster; nil where none are named.
func (f *vaultFlags) source(state *desired.State) (*secrets.Source, error) {
	configured, host := state.Cluster.Config.Vault, os.Getenv("OP_CONNECT_HOST")
	switch {
	case f.vault != "" && f.connect != "":
		return nil, errors.New("--vault and --connect exclude each other")
	case f.vault != "":
		return &secrets.Source{File: f.vault}, nil
	case f.connect != "":
		return f.server(f.connect)
	case configured != "":
		return fileOf(state), nil
	case host != "":
		return f.server(host)
	}
	return nil, nil
}

func (f *vaultFlags) server(host string) (*secrets.Source, error) {
	parsed, err := url.Parse(host)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.User != nil {
		return nil, errors.New("the URL of the Connect server is none of the form https://HOST[:PORT]")
	}
	token, err := f.token()
	return &secrets.Source{URL: host, Token: token}, err
}

// maxToken bounds a token, in bytes.
const maxToken = 64 << 10

func (f *vaultFlags) token() (onepassword.Value, error) {
	if f.tokenFile == "" {
		token := strings.TrimSpace(os.Getenv("OP_CONNECT_TOKEN"))
		if token == "" {
			return onepassword.Value{}, errors.New("the Connect server wants a token: name its file with --token-file, or set OP_CONNECT_TOKEN")
		}
		return onepassword.NewValue(token), nil
	}
	file, err := os.Open(f.tokenFile)
	if err != nil {
		return onepassword.Value{}, fmt.Errorf("open the token file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxToken))
	if err != nil {
		return onepassword.Value{}, fmt.Errorf("read the token file: %w", err)
	}
	return onepassword.NewValue(strings.TrimSpace(string(data))), nil
}

// atHand returns the vaults that can be looked at without asking anybody: a
// vault file that is named, the lock, or the vault file of .hearth.yaml.
func (f *vaultFlags) atHand(state *desired.State) (*secrets.Source, error) {
	if f.vault != "" {
		return &secrets.Source{File: f.vault}, nil
	}
	lock, err := secrets.ReadLock(state.Repository.Root)
	if err != nil {
		return nil, err
	}
	if lock != nil && lock.Clusters[state.Cluster.Name] != nil {
		return &secrets.Source{Lock: lock.Clusters[state.Cluster.Name]}, nil
	}
	if state.Cluster.Config.Vault != "" {
		return fileOf(state), nil
	}
	return nil, nil
}

// fileOf is the vault file that .hearth.yaml names for a cluster.
func fileOf(state *desired.State) *secrets.Source {
	return &secrets.Source{File: filepath.Join(state.Repository.Root, state.Cluster.Config.Vault)}
}

// look surveys the clusters of the repository at a path, each with the vaults
// that from tells.
func (f *vaultFlags) look(ctx context.Context, path string, from func(*desired.State) (*secrets.Source, error)) ([]*secrets.Survey, error) {
	r, err := repo.Open(ctx, path, repo.Options{})
	if err != nil {
		return nil, err
	}
	chosen := r.Clusters
	if f.cluster != "" {
		c, err := r.Cluster(f.cluster)
		if err != nil {
			return nil, err
		}
		chosen = []*repo.Cluster{c}
	}
	var surveys []*secrets.Survey
	for _, c := range chosen {
		state, err := stateOf(ctx, r, c)
		if err != nil {
			return nil, err
		}
		source, err := from(state)
		if err != nil {
			return nil, err
		}
		s, err := secrets.Look(ctx, state, source)
		if err != nil {
			return nil, err
		}
		surveys = append(surveys, s)
	}
	return surveys, nil
}

// looked is look for verbs that cannot do without vaults.
func (f *vaultFlags) looked(ctx context.Context, path string) ([]*secrets.Survey, error) {
	surveys, err := f.look(ctx, path, f.source)
	if err != nil {
		return nil, err
	}
	for _, s := range surveys {
		if s.Source == nil {
			return nil, fmt.Errorf("no vault is named for cluster %s: give --connect URL or --vault FILE", s.State.Cluster.Name)
		}
	}
	return surveys, nil
}

// folderArg returns the path among a verb's arguments, "" where there is none.
func folderArg(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
