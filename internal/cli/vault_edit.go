package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/onepassword"
	"hearth/internal/onepassword/private"
)

// newVaultEditCommand edits a vault file.
func newVaultEditCommand(p Process) *cobra.Command {
	var f vaultFileFlags
	cmd := &cobra.Command{
		Use:   "edit",
		Short: "Edit the vault file in $VISUAL or $EDITOR, without its text ever standing on a disk",
		Long: `Edit the vault file in $VISUAL, $EDITOR or vi. The editor gets the text in a folder
in memory that nobody else can enter, and that is removed afterwards, however
the editing ended. A text with a fault is not saved: at a terminal you can go on,
otherwise the old file stays.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := f.document()
			if err != nil {
				return err
			}
			if err := editVault(p, cmd.InOrStdin(), d); err != nil {
				return failure{exitFailed, err}
			}
			return nil
		},
	}
	f.register(cmd)
	return cmd
}

func editVault(p Process, stdin io.Reader, d *onepassword.Document) (err error) {
	before := bytes.Clone(d.Text())
	session, err := private.Begin(private.Editor{
		Command: cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR"), "vi"),
		Stdin:   stdin, Stdout: p.Stdout, Stderr: p.Stderr,
		Warn: func(text string) { fmt.Fprintf(p.Stderr, "hearth: %s\n", text) },
	}, "vault.yaml", before)
	if err != nil {
		return err
	}
	defer func() {
		if ended := session.End(); err == nil {
			err = ended
		}
	}()
	for {
		text, err := session.Edit()
		if err != nil {
			return err
		}
		if bytes.Equal(text, before) {
			fmt.Fprintln(p.Stdout, "nothing was changed")
			return nil
		}
		if err = d.SetText(text); err == nil {
			err = d.Save()
		}
		if err == nil {
			return nil
		}
		if !isTyped(stdin) || !goOn(p, stdin, err) {
			return fmt.Errorf("%w; the file stays as it was", err)
		}
	}
}

// goOn asks whether to edit a text again that has a fault.
func goOn(p Process, stdin io.Reader, err error) bool {
	fmt.Fprintf(p.Stderr, "hearth: %v\nEdit again? [Y/n] ", err)
	answer, readErr := bufio.NewReader(stdin).ReadString('\n')
	return readErr == nil && !strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "n")
}
