package manifest

import "regexp"

// oddLine finds what is something else to a reader that looks for lines of
// dashes than it is to a YAML parser.
var oddLine = regexp.MustCompile(`(?m)\r|^---[ \t]*[^\s#]|^\.\.\.|^%|\x{FEFF}`)

// DividedByLines reports whether the documents of a stream are divided by lines
// of dashes, and by nothing else, so that readers that split it before they
// parse it see the documents that Parse does.
func DividedByLines(data []byte) bool { return !oddLine.Match(data) }
