package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"hearth/internal/onepassword"
)

// newVaultGetCommand prints a value: the only verb that does.
func newVaultGetCommand(p Process) *cobra.Command {
	var f vaultFileFlags
	var vault string
	var otp, bare bool
	cmd := &cobra.Command{
		Use:   "get ITEM FIELD",
		Short: "Print the value of a field, or the content of a file",
		Long: `Print the value of a field, which is named by its label, by section.label or by its
id, or the content of a file (file/NAME; of a document just NAME). It is the only
verb that shows a value. Of a field with a one-time password --otp prints the
current one.`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			content, err := f.content()
			if err != nil {
				return err
			}
			_, item, err := content.Find(vault, args[0])
			if err != nil {
				return failure{exitFailed, err}
			}
			property := args[1]
			if otp {
				property += "?attribute=otp"
			}
			return printValue(p.Stdout, &item, property, bare)
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&vault, "vault", "", "the vault of the item, where it is not clear")
	flags.BoolVar(&otp, "otp", false, "print the current one-time password of the field")
	flags.BoolVarP(&bare, "no-newline", "n", false, "end the value without a line end")
	return cmd
}

func printValue(w io.Writer, item *onepassword.Item, property string, bare bool) error {
	if item.IsFile(property) {
		file, err := item.LookupFile(property)
		if err != nil {
			return failure{exitFailed, err}
		}
		_, err = io.WriteString(w, file.Content.Reveal())
		return err
	}
	field, err := item.Lookup(property)
	if err != nil {
		return failure{exitFailed, err}
	}
	end := "\n"
	if bare {
		end = ""
	}
	_, err = fmt.Fprint(w, field.Value.Reveal(), end)
	return err
}
