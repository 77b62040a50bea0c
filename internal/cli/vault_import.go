package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/onepassword"
	"hearth/internal/onepassword/intake"
)

// newVaultImportCommand takes secrets over from elsewhere.
func newVaultImportCommand(p Process) *cobra.Command {
	var f vaultFileFlags
	var o intake.Options
	var format string
	var replace bool
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Take secrets over from 1Password's command line, a .env file or a CSV file",
		Long: `Take secrets over from a file, or standard input (-):

  op item list --format json | op item get - --format json | hearth vault import -
  hearth vault import app.env --item app
  hearth vault import export.csv --vault Kubernetes

A CSV file has a first line of names: item, field and value for a field a line, or
title and a column for each field. Fields that have another value already keep it,
unless --replace says otherwise.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "" {
				if err := checkForm(format, string(intake.OP), string(intake.Env), string(intake.CSV)); err != nil {
					return err
				}
			}
			o.Format = intake.Format(format)
			result, err := readIntake(cmd.InOrStdin(), args[0], o)
			if err != nil {
				return failure{exitFailed, err}
			}
			for _, left := range result.Left {
				fmt.Fprintf(p.Stderr, "hearth: not imported: %s\n", left)
			}
			var merged onepassword.Merged
			err = f.change(func(d *onepassword.Document) (err error) {
				merged, err = d.Merge(result.Items, replace)
				return err
			})
			if err != nil {
				return err
			}
			return printMerged(p, merged)
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&format, "format", "", "op, env or csv, where the name does not tell")
	flags.StringVar(&o.Vault, "vault", "", "the vault that everything goes to; that of the input, or the only one, where it is not given")
	flags.StringVar(&o.Item, "item", "", "the item for fields of which the input says none")
	flags.BoolVar(&replace, "replace", false, "replace values that differ")
	return cmd
}

func readIntake(stdin io.Reader, path string, o intake.Options) (intake.Result, error) {
	in, name := stdin, "standard input"
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return intake.Result{}, fmt.Errorf("import: %w", err)
		}
		defer file.Close()
		in, name = file, path
	}
	data, err := io.ReadAll(io.LimitReader(in, intake.MaxSize+1))
	if err != nil {
		return intake.Result{}, fmt.Errorf("import %s: %w", name, err)
	}
	return intake.Parse(name, data, o)
}

func printMerged(p Process, m onepassword.Merged) error {
	if _, err := fmt.Fprintf(p.Stdout, "%d added, %d replaced, %d the same\n", len(m.Added), len(m.Changed), len(m.Same)); err != nil {
		return err
	}
	if len(m.Kept) == 0 {
		return nil
	}
	return failure{exitFailed, fmt.Errorf("import: what has another value in the vault was kept (--replace replaces it): %s", strings.Join(m.Kept, ", "))}
}
