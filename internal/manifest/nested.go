package manifest

import "go.yaml.in/yaml/v3"

// Nested parses the text at a field path as YAML, such as a patch that stands
// in a kustomization. The lines of what it returns are those of the file. A
// text that is no YAML, or no text, gives nothing: whether it had to be is the
// caller's to say.
func (d *Document) Nested(path ...string) []*Document {
	node, ok := d.Find(path...)
	if !ok || node.Kind != yaml.ScalarNode || node.Value == "" {
		return nil
	}
	docs, _ := Parse(d.File, []byte(node.Value))
	for _, nested := range docs {
		line := func(in int) int { return node.Line }
		if node.Style == yaml.LiteralStyle || node.Style == yaml.FoldedStyle {
			line = func(in int) int { return node.Line + in }
		}
		nested.Line = line(nested.Line)
		seen := map[*yaml.Node]bool{}
		moveLines(nested.Node, line, seen)
	}
	return docs
}

func moveLines(n *yaml.Node, line func(int) int, seen map[*yaml.Node]bool) {
	if n == nil || seen[n] {
		return
	}
	seen[n] = true
	n.Line = line(n.Line)
	for _, c := range n.Content {
		moveLines(c, line, seen)
	}
}
