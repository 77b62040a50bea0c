package secrets

import (
	"context"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/repo"
)

// reference matches op://vault/item/field and op://vault/item/section/field,
// as the program op replaces them, where it names nothing variable.
var reference = regexp.MustCompile("op://([^/\\s\"'`{}$<>]+)/([^/\\s\"'`{}$<>]+)/([^/\\s\"'`{}$<>]+/)?([^/\\s\"'`{}$<>?|]+)")

// remoteKey matches the lines of ExternalSecrets that hold such a reference.
var remoteKey = regexp.MustCompile(`^\s*(?:- +)?key:\s*["']?op://`)

// References returns the fields that files of a cluster name by op://
// references, such as those that its bootstrap replaces. Comments and texts
// for readers are left out.
func References(ctx context.Context, r *repo.Repository, c *repo.Cluster) ([]Need, error) {
	root, err := os.OpenRoot(r.Root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var needs []Need
	for _, f := range r.Files() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		owner := r.Owner(f.Path)
		if f.Link || f.Folder || path.Ext(f.Path) == ".md" || owner != nil && owner != c || owner == nil && len(r.Clusters) > 1 {
			continue
		}
		data, err := manifest.Read(root, f.Path)
		if err != nil {
			continue // it is no text that anything could be replaced in
		}
		needs = append(needs, referencesIn(f.Path, string(data))...)
	}
	slices.SortStableFunc(needs, compare)
	return needs, nil
}

func referencesIn(file, text string) []Need {
	if !strings.Contains(text, "op://") {
		return nil
	}
	remote := strings.Contains(text, Group)
	var needs []Need
	number := 0
	for line := range strings.Lines(text) {
		number++
		if body := strings.TrimSpace(line); strings.HasPrefix(body, "#") || strings.HasPrefix(body, "//") || remote && remoteKey.MatchString(line) {
			continue
		}
		for _, m := range reference.FindAllStringSubmatch(line, -1) {
			place := domain.Place{File: file, Line: number}
			n := Need{Store: Store{Provider: sdkProvider, Vaults: []string{m[1]}}, Item: m[2], Field: m[4], Place: place, Named: place}
			if section := strings.TrimSuffix(m[3], "/"); section != "" {
				n.Field = section + "." + n.Field
			}
			n.Name = n.Field
			needs = append(needs, n)
		}
	}
	return needs
}
