// Package edit changes single fields of YAML files and leaves every other byte
// as it is: comments, anchors, quoting, indentation, line ends.
//
// An Edit is a plain value that names its target by file, line and field path.
// Apply turns a file's text into the changed text. It promises that the result
// parses and that its values are the old ones with exactly the edits made; it
// proves that by reading what it has written, and where it cannot hold the promise
// it returns a *Refusal and the text unchanged. It refuses what would reach further
// than the named field: anchors that are used elsewhere, aliases, merged keys.
//
// Which edit puts a finding right is left to package rule, and which files are
// rewritten to the verbs.
package edit
