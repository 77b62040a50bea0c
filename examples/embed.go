// Package examples holds the homelab that Hearth rehearses when it is given no
// other: complete, small, and written to be read.
package examples

import "embed"

// Homelab is the repository in the folder homelab, with the files that begin
// with a dot. Its paths begin with "homelab/".
//
//go:embed all:homelab
var Homelab embed.FS
