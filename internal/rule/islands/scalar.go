package islands

import "go.yaml.in/yaml/v3"

// eachScalar calls f for every text, number or truth value below a node, with
// the key that it stands under; items of a list stand under the list's key.
// What an alias repeats is not visited again.
func eachScalar(n *yaml.Node, f func(key string, n *yaml.Node)) { walk(n, "", f) }

func walk(n *yaml.Node, key string, f func(string, *yaml.Node)) {
	switch n.Kind {
	case yaml.ScalarNode:
		f(key, n)
	case yaml.SequenceNode:
		for _, item := range n.Content {
			walk(item, key, f)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			walk(n.Content[i+1], n.Content[i].Value, f)
		}
	}
}
