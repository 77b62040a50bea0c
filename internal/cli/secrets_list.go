package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/domain"
	"hearth/internal/secrets"
)

func newSecretsListCommand(p Process) *cobra.Command {
	var (
		f      vaultFlags
		output string
	)
	cmd := &cobra.Command{
		Use:   "list [PATH]",
		Short: "List the items and fields that a homelab needs, by whom, and where",
		Long: `List the items and fields of 1Password that a homelab needs: those that its
ExternalSecrets name in data, those that their templates and the workloads take
from the items of dataFrom, and those that files name by op:// references. Where
several items could supply a field, the vault file decides, or else the lock.`,
		Args: atMostOnePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output, "text", "json"); err != nil {
				return err
			}
			surveys, done, err := onHomelab(p, folderArg(args), "showing", func(path string) ([]*secrets.Survey, error) {
				return f.look(cmd.Context(), path, f.atHand)
			})
			defer done()
			if err != nil {
				return err
			}
			write := listNeeds
			if output == "json" {
				write = listNeedsJSON
			}
			if err := write(p.Stdout, surveys); err != nil {
				return failure{exitFailed, fmt.Errorf("write the list: %w", err)}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&f.cluster, "cluster", "", "one cluster only")
	cmd.Flags().StringVar(&f.vault, "vault", "", "a vault file, which tells what is in which item")
	cmd.Flags().StringVarP(&output, "output", "o", "text", "the form of the list: text or json")
	return cmd
}

func listNeeds(w io.Writer, surveys []*secrets.Survey) error {
	t := table{header: []string{"CLUSTER", "VAULT", "ITEM", "FIELD", "NEEDED BY", "PLACE"}, painter: painter(colours(w))}
	for _, s := range surveys {
		cluster := ""
		if len(surveys) > 1 {
			cluster = s.State.Cluster.Name
		}
		for _, n := range s.Needs {
			t.add(
				cell{text: cluster}, cell{text: printable(strings.Join(n.Store.Vaults, ", "))}, cell{text: printable(n.Item)},
				cell{text: printable(n.What())}, cell{text: printable(n.Who())}, cell{text: n.Place.String()},
			)
		}
	}
	if len(t.rows) == 0 {
		_, err := fmt.Fprintln(w, "Nothing needs an item of a vault.")
		return err
	}
	return t.write(w)
}

// neededField is a need in the JSON form.
type neededField struct {
	Cluster string   `json:"cluster"`
	Store   string   `json:"store,omitempty"`
	Vaults  []string `json:"vaults,omitempty"`
	Item    string   `json:"item,omitempty"`
	Field   string   `json:"field,omitempty"`
	Find    bool     `json:"find,omitempty"`
	Object  string   `json:"object,omitempty"`
	jsonPlace
}

// jsonPlace is a place in the JSON form.
type jsonPlace struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

func placeJSON(p domain.Place) jsonPlace { return jsonPlace{p.File, p.Line} }

func listNeedsJSON(w io.Writer, surveys []*secrets.Survey) error {
	list := []neededField{}
	for _, s := range surveys {
		for _, n := range s.Needs {
			entry := neededField{
				Cluster: s.State.Cluster.Name, Vaults: n.Store.Vaults, Item: n.Item, Field: n.Field,
				Find: n.Search != nil, Object: n.Who(), jsonPlace: placeJSON(n.Place),
			}
			if n.Store.Ref.Kind != "" {
				entry.Store = n.Store.Ref.String()
			}
			list = append(list, entry)
		}
	}
	return printJSON(w, list)
}
