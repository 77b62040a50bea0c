package kustomize

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// Error is a failed build whose place in Git is known.
type Error struct {
	Place domain.Place
	Err   error
}

// Error returns the message, followed by the place unless it names that.
func (e *Error) Error() string {
	message := e.Err.Error()
	if !e.Place.Known() || strings.Contains(message, e.Place.String()) {
		return message
	}
	return message + " (" + e.Place.String() + ")"
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// explain turns kustomize's error into one that names no temporary folder and
// tells where in Git to look.
func (b *build) explain(err error) error {
	if b.reads.refused != nil {
		err = b.reads.refused
	}
	var placed *Error
	if errors.As(err, &placed) {
		return &Error{Place: placed.Place, Err: fmt.Errorf("kustomize build failed: %w", placed.Err)}
	}
	message := strings.ReplaceAll(err.Error(), b.root+string(filepath.Separator), "")
	message = strings.ReplaceAll(message, b.root, ".")
	for _, find := range []func() *manifest.Problem{b.brokenFile, b.brokenReference} {
		if p := find(); p != nil {
			return &Error{Place: p.Place, Err: fmt.Errorf("kustomize build failed: %s: %s", p.Place, p.Message)}
		}
	}
	return &Error{Place: b.namedFile(message), Err: fmt.Errorf("kustomize build failed: %s", message)}
}

// brokenFile returns what is wrong with the first file that is no valid YAML.
// The folder's own files count where nothing was read yet: the generator
// parses them all when the folder has no kustomization.
func (b *build) brokenFile() *manifest.Problem {
	files := b.reads.read
	if len(files) == 0 {
		files = b.folderFiles()
	}
	for _, name := range files {
		ext := filepath.Ext(name)
		if ext != ".yaml" && ext != ".yml" && !isKustomizationFile(name) {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it exists in memory only
		}
		if _, err := manifest.Parse(b.reads.rel(name), data); err != nil {
			return manifest.Problems(err)[0]
		}
	}
	return nil
}

func (b *build) folderFiles() []string {
	var files []string
	// A folder that cannot be walked has no broken file to show.
	_ = filepath.WalkDir(b.dir, func(name string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files = append(files, name)
		}
		return nil
	})
	return files
}

// brokenReference returns the first line of a kustomization that names a file
// or folder which is not there.
func (b *build) brokenReference() *manifest.Problem {
	for _, name := range b.reads.read {
		if !isKustomizationFile(name) {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		docs, _ := manifest.Parse(b.reads.rel(name), data)
		for _, doc := range docs {
			var found *manifest.Problem
			eachReference(doc, func(target string, line int) bool {
				if strings.ContainsAny(target, "\n{") || isRemote(target) {
					return true
				}
				if !b.reads.Exists(filepath.Join(filepath.Dir(name), target)) {
					found = &manifest.Problem{Place: domain.Place{File: doc.File, Line: line}, Message: "there is no " + target + leftOut(target)}
				}
				return found == nil
			})
			if found != nil {
				return found
			}
		}
	}
	return nil
}

// leftOut says of a file that it is of a kind that sources do not carry.
func leftOut(target string) string {
	matcher := sourceignore.NewDefaultMatcher(nil, nil)
	if matcher.Match(strings.Split(filepath.ToSlash(filepath.Clean(target)), "/"), false) {
		return ", which Flux leaves out of sources that have no .sourceignore"
	}
	return ""
}

// namedFile returns the last file read that a message names.
func (b *build) namedFile(message string) domain.Place {
	for i := len(b.reads.read) - 1; i >= 0; i-- {
		if rel := b.reads.rel(b.reads.read[i]); strings.Contains(message, rel) {
			return domain.Place{File: rel}
		}
	}
	return domain.Place{}
}

// source returns the place of a line as kustomize saw it: the generated
// kustomization has the file's name, but not its lines.
func (fs *recordingFS) source(name, file string, line int) domain.Place {
	if name == fs.generated {
		line = 0
	}
	return domain.Place{File: file, Line: line}
}
