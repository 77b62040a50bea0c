package repo

import (
	"os"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"

	"hearth/internal/manifest"
)

// ignore tells what Git ignores. It reads the .gitignore of each folder when
// a walk, which goes from the top down, first asks about something in it.
type ignore struct {
	root     *os.Root
	patterns []gitignore.Pattern
	seen     map[string]bool
	problems []*Problem
}

func newIgnore(root *os.Root) *ignore {
	return &ignore{root: root, seen: map[string]bool{}}
}

func (g *ignore) match(name string, dir bool) bool {
	g.enter(path.Dir(name))
	if len(g.patterns) == 0 {
		return false
	}
	return gitignore.NewMatcher(g.patterns).Match(strings.Split(name, "/"), dir)
}

func (g *ignore) enter(folder string) {
	if g.seen[folder] {
		return
	}
	g.seen[folder] = true
	name := path.Join(folder, ".gitignore")
	if _, err := g.root.Lstat(name); err != nil {
		return
	}
	data, err := manifest.Read(g.root, name)
	if err != nil {
		g.problems = append(g.problems, manifest.Problems(err)...)
		return
	}
	var domain []string
	if folder != "." {
		domain = strings.Split(folder, "/")
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			g.patterns = append(g.patterns, gitignore.ParsePattern(line, domain))
		}
	}
}
