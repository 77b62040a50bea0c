package manifest

import (
	"bytes"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// CheckBounds returns a *Problem where a YAML stream breaks the bounds of this
// package, and nil otherwise, even if it does not parse. It is for what is read by
// others, who keep no bounds: their parsers resolve every alias.
func CheckBounds(file string, data []byte) error {
	if len(data) > MaxSize {
		return problemf(file, 0, "the file has %d bytes; more than %d are not read", len(data), MaxSize)
	}
	// Without aliases a stream cannot be larger than it looks.
	if bytes.IndexByte(data, '&') < 0 || bytes.IndexByte(data, '*') < 0 || !utf8.Valid(data) {
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var node yaml.Node
		if decode(decoder, &node) != nil {
			return nil
		}
		if len(node.Content) != 1 {
			continue
		}
		if p := checkBounds(file, node.Content[0]); p != nil {
			return p
		}
	}
}
