package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fluxcd/pkg/sourceignore/gitignore"
)

const (
	gitFolder      = ".git"
	gitIgnoreFile  = ".gitignore"
	maxIgnoreBytes = 1 << 20
)

// Ignore returns which files of a folder Flux leaves out of its artifact: what
// the folder's .sourceignore files exclude, and what spec, the ignore field of
// a source, does; or where there is neither, what Flux excludes by default. A folder is only reported
// where nothing below it can be kept. The error says which file or folder
// could not be read.
func Ignore(root, spec string) (func(rel string, isDir bool) bool, error) {
	r, err := readRules(root, spec, nil)
	if err != nil {
		return nil, err
	}
	return r.ignore, nil
}

// rules decide which files of a folder are left out.
type rules struct {
	source   gitignore.Matcher
	includes bool // some rule takes files back in
	// git is nil where .gitignore has no say.
	git *gitRules
}

// gitRules decide what Git would never have: files that .gitignore excludes,
// and what editors leave behind while they save, unless Git tracks them.
type gitRules struct {
	patterns []gitignore.Pattern
	tracked  map[string]bool // files, and the folders that hold them
}

func (g *gitRules) ignore(rel string, segments []string, isDir bool) bool {
	if g == nil || g.tracked[rel] {
		return false
	}
	if !isDir && isEditorFile(path.Base(rel)) {
		return true
	}
	return gitignore.NewMatcher(g.patterns).Match(segments, isDir)
}

func (r *rules) ignore(rel string, isDir bool) bool {
	if path.Base(rel) == gitFolder {
		return true
	}
	segments := strings.Split(rel, "/")
	if r.git.ignore(rel, segments, isDir) {
		return true
	}
	if isDir && r.includes {
		return false
	}
	return r.source.Match(segments, isDir)
}

// readRules reads the ignore files of a folder. With git they include
// .gitignore, and what that excludes is not looked into.
func readRules(root, spec string, git *gitRules) (*rules, error) {
	r := &rules{git: git}
	reader := &ruleReader{root: root, rules: r}
	if err := reader.folder("."); err != nil {
		return nil, fmt.Errorf("read the ignore files of %s: %w", root, err)
	}
	reader.add([]byte(spec), nil)
	r.source = matcherOf(reader.patterns)
	return r, nil
}

// matcherOf returns what source-controller matches with: a source without any
// pattern of its own is spared images, archives and CI files; one with patterns
// only Git's own files beside what they match.
func matcherOf(patterns []gitignore.Pattern) gitignore.Matcher {
	if len(patterns) == 0 {
		return sourceignore.NewDefaultMatcher(nil, nil)
	}
	return sourceignore.NewMatcher(append(sourceignore.VCSPatterns(nil), patterns...))
}

type ruleReader struct {
	root     string
	rules    *rules
	patterns []gitignore.Pattern
}

func (w *ruleReader) add(content []byte, domain []string) {
	w.patterns = append(w.patterns, sourceignore.ReadPatterns(bytes.NewReader(content), domain)...)
	for line := range bytes.Lines(content) {
		w.rules.includes = w.rules.includes || bytes.HasPrefix(line, []byte("!"))
	}
}

func (w *ruleReader) folder(rel string) error {
	entries, err := os.ReadDir(filepath.Join(w.root, filepath.FromSlash(rel)))
	if err != nil {
		return err
	}
	var domain []string
	if rel != "." {
		domain = strings.Split(rel, "/")
	}
	// A folder's own rules hold for the folders in it.
	for _, name := range []string{gitIgnoreFile, sourceignore.IgnoreFile} {
		if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == name && e.Type().IsRegular() }) {
			continue
		}
		content, err := readIgnoreFile(filepath.Join(w.root, filepath.FromSlash(rel), name), maxIgnoreBytes)
		if err != nil {
			return err
		}
		if name == sourceignore.IgnoreFile {
			w.add(content, domain)
		} else if w.rules.git != nil {
			w.rules.git.patterns = append(w.rules.git.patterns, sourceignore.ReadPatterns(bytes.NewReader(content), domain)...)
		}
	}
	for _, entry := range entries {
		child := path.Join(rel, entry.Name())
		if !entry.IsDir() || entry.Name() == gitFolder || strings.Count(child, "/") > maxDepth ||
			w.rules.git.ignore(child, strings.Split(child, "/"), true) {
			continue
		}
		if err := w.folder(child); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func readIgnoreFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return content, err
}

// isEditorFile reports whether a file's name is one that editors use for a
// moment while they save, or for recovery.
func isEditorFile(name string) bool {
	switch {
	case name == "4913", name == ".DS_Store": // Vim probes with 4913
		return true
	case strings.HasSuffix(name, "~"), strings.HasPrefix(name, ".#"):
		return true
	case strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"):
		return true
	case strings.HasPrefix(name, ".goutputstream-"), strings.HasPrefix(name, ".~lock."):
		return true
	case strings.HasSuffix(name, "___jb_tmp___"), strings.HasSuffix(name, "___jb_old___"):
		return true
	}
	ext := path.Ext(name)
	return strings.HasPrefix(name, ".") && (ext == ".swp" || ext == ".swo" || ext == ".swx" || ext == ".swpx")
}
