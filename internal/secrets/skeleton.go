package secrets

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"hearth/internal/onepassword"
)

// DefaultVault is the vault of items whose store names none.
const DefaultVault = "Kubernetes"

// Skeleton returns a vault file to fill in: every item and field that needs
// ask for and vaults, which may be nil, do not have, with empty values and who
// needs them. Entries of find name nothing that could be listed.
func Skeleton(needs []Need, vaults []onepassword.Vault) ([]byte, error) {
	tree := map[string]map[string]map[string][]Need{}
	for _, n := range needs {
		if n.Search != nil || strings.Contains(n.Item+n.Field, "${") || meets(vaults, n) {
			continue
		}
		vault := DefaultVault
		if len(n.Store.Vaults) > 0 {
			vault = n.Store.Vaults[0]
		}
		if tree[vault] == nil {
			tree[vault] = map[string]map[string][]Need{}
		}
		if tree[vault][n.Item] == nil {
			tree[vault][n.Item] = map[string][]Need{}
		}
		tree[vault][n.Item][n.Field] = append(tree[vault][n.Item][n.Field], n)
	}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		list.Content = append(list.Content, mapping("name", text(name), "items", itemNodes(tree[name])))
	}
	root := mapping("vaults", list)
	root.HeadComment = "Fill in the values, and keep the file out of Git, or encrypt it: hearth vault does."
	data, err := yaml.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("write the skeleton of a vault file: %w", err)
	}
	return data, nil
}

// meets reports whether vaults have what a need asks for.
func meets(vaults []onepassword.Vault, n Need) bool {
	_, item := lookUp(vaults, n.Store.Vaults, n.Item)
	if item == nil || n.Field == "" {
		return item != nil
	}
	_, err := lookUpField(item, n.Field)
	return err == nil
}

func itemNodes(items map[string]map[string][]Need) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, title := range slices.Sorted(maps.Keys(items)) {
		fields := &yaml.Node{Kind: yaml.SequenceNode}
		files := &yaml.Node{Kind: yaml.SequenceNode}
		var whole []Need
		for _, label := range slices.Sorted(maps.Keys(items[title])) {
			needs := items[title][label]
			name, isFile := strings.CutPrefix(label, "file/")
			switch {
			case label == "":
				whole = needs
			case isFile:
				files.Content = append(files.Content, commented(mapping("name", text(name), "content", text("")), needs))
			default:
				label = strings.TrimPrefix(label, "field/")
				fields.Content = append(fields.Content, commented(mapping("label", text(label), "value", text("")), needs))
			}
		}
		item := mapping("title", text(title))
		if len(fields.Content) > 0 || len(files.Content) == 0 {
			item.Content = append(item.Content, text("fields"), fields)
		}
		if len(files.Content) > 0 {
			item.Content = append(item.Content, text("files"), files)
		}
		list.Content = append(list.Content, commented(item, whole))
	}
	return list
}

// commented says before a node who needs it.
func commented(n *yaml.Node, needs []Need) *yaml.Node {
	var lines []string
	for _, need := range needs {
		line := fmt.Sprintf("%s, %s", cmp.Or(need.Who(), "op://"), need.Place)
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	n.HeadComment = strings.Join(lines, "\n")
	return n
}

func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i < len(pairs); i += 2 {
		n.Content = append(n.Content, text(pairs[i].(string)), pairs[i+1].(*yaml.Node))
	}
	return n
}

func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}
