package layout

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// isCommentedOut reports whether a comment of a document is a list item that
// names a file or folder.
func isCommentedOut(n *yaml.Node, name string) bool {
	for _, comment := range []string{n.HeadComment, n.LineComment, n.FootComment} {
		for line := range strings.Lines(comment) {
			item := strings.TrimSpace(strings.Trim(line, "# \t\r\n"))
			item, isItem := strings.CutPrefix(item, "- ")
			item, _, _ = strings.Cut(item, " #")
			item = strings.Trim(strings.TrimSpace(item), `"'`)
			if isItem && strings.TrimSuffix(strings.TrimPrefix(item, "./"), "/") == name {
				return true
			}
		}
	}
	for _, child := range n.Content {
		if isCommentedOut(child, name) {
			return true
		}
	}
	return false
}
