package order

import (
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"hearth/internal/repo"
)

// Bounds of reading scripts and machine configurations.
const (
	maxScripts     = 500
	maxScriptBytes = 1 << 20
)

// address is that of a manifest or chart.
var address = regexp.MustCompile(`(?:https?|oci)://[^\s"'<>()\[\]{},;]+`)

// installedByHand returns the addresses that scripts, tasks and machine
// configurations of a repository mention, in lower case: what they install is
// there before Flux applies anything. Files that cannot be read tell nothing.
func installedByHand(r *repo.Repository) []string {
	root, err := os.OpenRoot(r.Root)
	if err != nil {
		return nil
	}
	defer root.Close()
	var names []string
	for _, f := range r.Files() {
		if isScript(f.Path) {
			names = append(names, f.Path)
		}
	}
	for _, folder := range []string{".taskfiles", ".just", ".scripts"} {
		// A folder that is not there has no scripts.
		_ = fs.WalkDir(root.FS(), folder, func(name string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				names = append(names, name)
			}
			return nil
		})
	}
	var found []string
	for _, name := range names[:min(len(names), maxScripts)] {
		found = append(found, addressesIn(root, name)...)
	}
	return found
}

// isScript reports whether a file may be one that people run, or that a node
// starts with.
func isScript(name string) bool {
	base := strings.ToLower(path.Base(name))
	for _, part := range strings.Split(path.Dir(name), "/") {
		if part == "talos" || part == "omni" {
			return true
		}
	}
	switch path.Ext(base) {
	case ".sh", ".bash", ".fish", ".nu", ".just", ".mk", ".py", ".tf":
		return true
	}
	plain := strings.TrimPrefix(strings.TrimSuffix(strings.TrimSuffix(base, ".j2"), path.Ext(base)), ".")
	return slices.Contains([]string{"taskfile", "justfile", "makefile", "mise", "talconfig", "talenv", "machineconfig"}, plain)
}

func addressesIn(root *os.Root, name string) []string {
	file, err := root.Open(name)
	if err != nil {
		return nil
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxScriptBytes))
	if err != nil {
		return nil
	}
	var found []string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			found = append(found, address.FindAllString(strings.ToLower(line), -1)...)
		}
	}
	return found
}

// mentions reports whether one of the addresses is likely to be of the
// definitions of a group: it holds the group, its first part, or the chart.
func mentions(addresses []string, group, chart string) bool {
	first, _, _ := strings.Cut(group, ".")
	return slices.ContainsFunc(addresses, func(a string) bool {
		return strings.Contains(a, group) || strings.Contains(a, first) || chart != "" && strings.Contains(a, chart)
	})
}
