package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/onepassword"
)

// vaultServeFlags say how a vault file is served, and to whom.
type vaultServeFlags struct {
	vaultFileFlags
	listen, certificate, key, tokenFile, fault string
	readOnly                                   bool
}

// newVaultServeCommand speaks the Connect API from a vault file.
func newVaultServeCommand(p Process) *cobra.Command {
	var f vaultServeFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the vault file over the 1Password Connect API, as a Connect server of one's own",
		Long: `Serve the vault file over the 1Password Connect API, until it is interrupted: for the
External Secrets Operator, and all else that speaks it. A file that changes is read
again. Whoever asks needs a token (hearth vault token), or that of --token-file,
which reads and writes all vaults. What clients write is written into the file.
It listens on loopback, and elsewhere only with TLS.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), p) },
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "the address to listen on")
	flags.StringVar(&f.certificate, "tls-cert", "", "the file with the TLS certificate; renewed ones are noticed")
	flags.StringVar(&f.key, "tls-key", "", "the file with the certificate's key")
	flags.StringVar(&f.tokenFile, "token-file", "", "a file with one more token, for all vaults")
	flags.BoolVar(&f.readOnly, "read-only", false, "let no token write")
	flags.StringVar(&f.fault, "fault", "", "let every request fail, to see what becomes of it: token-expired, rate-limited, down, slow, server-error or garbage")
	return cmd
}

func (f *vaultServeFlags) run(ctx context.Context, p Process) error {
	if (f.certificate == "") != (f.key == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	fault, err := onepassword.ParseFault(f.fault)
	if err != nil {
		return err
	}
	path, err := f.path()
	if err != nil {
		return err
	}
	o := onepassword.ServerOptions{File: path, Identity: f.identity, Writes: onepassword.WritesSaved}
	if f.readOnly {
		o.Writes = onepassword.WritesRefused
	}
	if o.Token, err = f.token(); err != nil {
		return err
	}
	server, err := onepassword.NewServer(o)
	if err != nil {
		return err
	}
	content, err := onepassword.Load(path, f.identity)
	if err == nil && len(content.Tokens) == 0 && f.tokenFile == "" {
		err = errors.New("nobody has a token to ask with: make one with hearth vault token NAME")
	}
	if err != nil {
		return err
	}
	server.SetFault(fault)
	return f.serve(ctx, p, server)
}

func (f *vaultServeFlags) serve(ctx context.Context, p Process, server *onepassword.Server) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var url string
	var done <-chan struct{}
	var err error
	if f.certificate != "" {
		url, done, err = server.ListenTLS(ctx, f.listen, f.certificate, f.key)
	} else {
		url, done, err = server.Listen(ctx, f.listen)
	}
	if err != nil {
		return failure{exitFailed, err}
	}
	fmt.Fprintf(p.Stdout, "serving %d vaults at %s\n", len(server.Vaults()), url)
	err = server.Follow(ctx, func(err error) {
		if err != nil {
			fmt.Fprintf(p.Stderr, "hearth: %v; what was read before stays\n", err)
			return
		}
		fmt.Fprintf(p.Stdout, "read the vault file again: %d vaults\n", len(server.Vaults()))
	})
	cancel()
	<-done
	if err != nil {
		return failure{exitFailed, err}
	}
	return nil
}

// token reads the token of --token-file; empty where there is none.
func (f *vaultServeFlags) token() (string, error) {
	if f.tokenFile == "" {
		return "", nil
	}
	value, err := readValueFile(f.tokenFile)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(value.Reveal())
	if len(token) < 16 {
		return "", fmt.Errorf("the token in %s is shorter than 16 characters: make a longer one up", f.tokenFile)
	}
	return token, nil
}
