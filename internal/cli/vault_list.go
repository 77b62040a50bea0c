package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"hearth/internal/onepassword"
)

// newVaultListCommand prints names, and no values.
func newVaultListCommand(p Process) *cobra.Command {
	var f vaultFileFlags
	var output string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List vaults, items and the names of their fields, and who has a token; no values",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := checkForm(output, "text", "json"); err != nil {
				return err
			}
			content, err := f.content()
			if err != nil {
				return err
			}
			if output == "json" {
				encoder := json.NewEncoder(p.Stdout)
				encoder.SetIndent("", "  ")
				encoder.SetEscapeHTML(false)
				return encoder.Encode(vaultListJSON(content))
			}
			return printVaultList(p.Stdout, content, time.Now())
		},
	}
	f.register(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func printVaultList(w io.Writer, content onepassword.Content, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, v := range content.Vaults {
		fmt.Fprintf(t, "%s\n", printable(v.Name))
		for _, item := range v.Items {
			fmt.Fprintf(t, "  %s\t%s\n", printable(item.Title), printable(strings.Join(fieldNames(item), ", ")))
		}
	}
	for i, token := range content.Tokens {
		if i == 0 {
			fmt.Fprintf(t, "Tokens\n")
		}
		fmt.Fprintf(t, "  %s\t%s\n", printable(token.Name), printable(tokenText(token, now)))
	}
	return t.Flush()
}

func fieldNames(item onepassword.Item) []string {
	var names []string
	for _, f := range item.Fields {
		name := f.Label
		if f.Section != "" {
			name = f.Section + "." + f.Label
		}
		if f.Type == onepassword.TypeOTP {
			name += " (OTP)"
		}
		names = append(names, name)
	}
	for _, f := range item.Files {
		names = append(names, f.Name+" (file)")
	}
	return names
}

func tokenText(token onepassword.Token, now time.Time) string {
	reaches, may, ends := "all vaults", "reads", "never ends"
	if len(token.Vaults) > 0 {
		reaches = strings.Join(token.Vaults, ", ")
	}
	if token.Write {
		may = "reads and writes"
	}
	if !token.Expires.IsZero() {
		ends = "ends " + token.Expires.UTC().Format(time.RFC3339)
		if !now.Before(token.Expires) {
			ends = "ended " + token.Expires.UTC().Format(time.RFC3339)
		}
	}
	return may + " " + reaches + "; " + ends
}

// vaultList is the JSON of a list: names only.
type vaultList struct {
	Vaults     []listedVault `json:"vaults"`
	Tokens     []listedToken `json:"tokens"`
	Recipients []string      `json:"recipients"`
}

type listedVault struct {
	Name  string       `json:"name"`
	ID    string       `json:"id"`
	Items []listedItem `json:"items"`
}

type listedItem struct {
	Title    string        `json:"title"`
	ID       string        `json:"id"`
	Category string        `json:"category"`
	Tags     []string      `json:"tags,omitempty"`
	Fields   []listedField `json:"fields"`
	Files    []string      `json:"files,omitempty"`
}

type listedField struct {
	Label   string `json:"label"`
	Section string `json:"section,omitempty"`
	Type    string `json:"type"`
}

type listedToken struct {
	Name    string     `json:"name"`
	Vaults  []string   `json:"vaults,omitempty"`
	Write   bool       `json:"write"`
	Expires *time.Time `json:"expires,omitempty"`
}

func vaultListJSON(content onepassword.Content) vaultList {
	out := vaultList{Vaults: []listedVault{}, Tokens: []listedToken{}, Recipients: append([]string{}, content.Recipients...)}
	for _, v := range content.Vaults {
		vault := listedVault{Name: v.Name, ID: v.ID, Items: []listedItem{}}
		for _, i := range v.Items {
			item := listedItem{Title: i.Title, ID: i.ID, Category: i.Category, Tags: i.Tags, Fields: []listedField{}}
			for _, f := range i.Fields {
				item.Fields = append(item.Fields, listedField{f.Label, f.Section, f.Type})
			}
			for _, f := range i.Files {
				item.Files = append(item.Files, f.Name)
			}
			vault.Items = append(vault.Items, item)
		}
		out.Vaults = append(out.Vaults, vault)
	}
	for _, t := range content.Tokens {
		token := listedToken{Name: t.Name, Vaults: t.Vaults, Write: t.Write}
		if !t.Expires.IsZero() {
			token.Expires = &t.Expires
		}
		out.Tokens = append(out.Tokens, token)
	}
	return out
}
