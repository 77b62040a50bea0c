package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"hearth/internal/onepassword"
)

// maxVaultValue bounds a value or file that is read, in bytes.
const maxVaultValue = 16 << 20

// vaultSetFlags say what becomes of a field.
type vaultSetFlags struct {
	vaultFileFlags
	vault, section, kind, from, attach string
	generate                           int
	remove                             bool
}

// newVaultSetCommand gives a field its value.
func newVaultSetCommand(p Process) *cobra.Command {
	var f vaultSetFlags
	cmd := &cobra.Command{
		Use:   "set ITEM FIELD | set ITEM --attach FILE | set ITEM [FIELD] --remove",
		Short: "Give a field of an item its value",
		Long: `Give a field of an item its value. The value is asked for at a terminal, else read
from standard input, where one line end behind it does not count; or it comes from
--from or --generate. It is never an argument, since others see those. An item
or field that is missing is added.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.checkArgs(args); err != nil {
				return err
			}
			if f.remove {
				return f.change(func(d *onepassword.Document) error { return f.takeOut(d, args) })
			}
			return f.put(p, cmd.InOrStdin(), args)
		},
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.vault, "vault", "", "the vault of the item, where it is not clear")
	flags.StringVar(&f.section, "section", "", "the section of the field")
	flags.StringVar(&f.kind, "type", "", "the type of the field, such as CONCEALED (for new ones), STRING, URL or OTP")
	flags.StringVar(&f.from, "from", "", "read the value from a file")
	flags.StringVar(&f.attach, "attach", "", "attach a file to the item, under its name or FIELD")
	flags.IntVar(&f.generate, "generate", 0, "make a value up of so many letters and digits (32 where no number is given)")
	flags.Lookup("generate").NoOptDefVal = "32"
	flags.BoolVar(&f.remove, "remove", false, "take the field, the file (file/NAME) or the whole item out")
	return cmd
}

func (f *vaultSetFlags) checkArgs(args []string) error {
	sources := 0
	for _, given := range []bool{f.from != "", f.attach != "", f.generate != 0, f.remove} {
		if given {
			sources++
		}
	}
	switch {
	case sources > 1:
		return errors.New("--from, --attach, --generate and --remove exclude each other")
	case len(args) == 1 && f.attach == "" && !f.remove:
		return errors.New("name the field of the item")
	case f.generate < 0 || f.generate > 64:
		return errors.New("--generate takes 1 to 64 characters")
	}
	return nil
}

func (f *vaultSetFlags) takeOut(d *onepassword.Document, args []string) error {
	v, item, err := d.Content().Find(f.vault, args[0])
	switch {
	case err != nil:
		return err
	case len(args) == 1:
		return d.RemoveItem(v.ID, item.ID)
	case item.IsFile(args[1]):
		return d.RemoveFile(v.ID, item.ID, strings.TrimPrefix(args[1], "file/"))
	}
	return d.RemoveField(f.vault, args[0], args[1], f.section)
}

func (f *vaultSetFlags) put(p Process, stdin io.Reader, args []string) error {
	// Opened first, so that nobody types a value for nothing.
	d, err := f.document()
	if err != nil {
		return err
	}
	value, err := f.value(p, stdin)
	if err != nil {
		return failure{exitFailed, err}
	}
	if f.attach != "" {
		name := filepath.Base(f.attach)
		if len(args) == 2 {
			name = args[1]
		}
		err = d.AttachFile(f.vault, args[0], onepassword.File{Name: name, Section: f.section, Content: value})
	} else {
		err = d.SetField(f.vault, args[0], onepassword.Field{Label: args[1], Section: f.section, Type: strings.ToUpper(f.kind), Value: value})
	}
	if err == nil {
		err = d.Save()
	}
	if err != nil {
		return failure{exitFailed, err}
	}
	return nil
}

func (f *vaultSetFlags) value(p Process, stdin io.Reader) (onepassword.Value, error) {
	switch {
	case f.generate > 0:
		return onepassword.Recipe{Length: f.generate}.Generate()
	case f.attach != "":
		return readValueFile(f.attach)
	case f.from != "":
		return readValueFile(f.from)
	case isTyped(stdin):
		fmt.Fprint(p.Stderr, "Value: ")
		typed, err := term.ReadPassword(int(stdin.(*os.File).Fd()))
		fmt.Fprintln(p.Stderr)
		if err != nil {
			return onepassword.Value{}, fmt.Errorf("read the value: %w", err)
		}
		return onepassword.NewValue(string(typed)), nil
	}
	text, err := readBounded(stdin, "standard input")
	return onepassword.NewValue(strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")), err
}

func readValueFile(path string) (onepassword.Value, error) {
	file, err := os.Open(path)
	if err != nil {
		return onepassword.Value{}, fmt.Errorf("read the value: %w", err)
	}
	defer file.Close()
	text, err := readBounded(file, path)
	return onepassword.NewValue(text), err
}

func readBounded(r io.Reader, name string) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxVaultValue+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read %s: %w", name, err)
	case len(data) > maxVaultValue:
		return "", fmt.Errorf("read %s: it is larger than %d MiB", name, maxVaultValue>>20)
	}
	return string(data), nil
}
