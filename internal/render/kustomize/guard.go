package kustomize

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/kustomize/api/konfig"

	"hearth/internal/manifest"
)

// guard refuses a file that must not reach kustomize: one that cannot be read
// to its end, is too large, or whose aliases explode. Kustomize keeps no
// bounds, and some of this ends the process rather than the build.
func (fs *recordingFS) guard(name string, read func(string) ([]byte, error)) ([]byte, error) {
	if info, err := os.Stat(name); err == nil {
		problem := &manifest.Problem{}
		problem.Place.File = fs.rel(name)
		switch {
		case info.IsDir():
			return read(name) // which says so
		case !info.Mode().IsRegular(): // opening a pipe would block
			problem.Message = "is no regular file"
			return nil, refusal(problem)
		case info.Size() > manifest.MaxSize:
			problem.Message = fmt.Sprintf("the file has %d bytes; more than %d are not read", info.Size(), manifest.MaxSize)
			return nil, refusal(problem)
		}
	}
	data, err := read(name)
	if err != nil {
		return nil, err
	}
	if err := manifest.CheckBounds(fs.rel(name), data); err != nil {
		return nil, refusal(manifest.Problems(err)[0])
	}
	return data, nil
}

func refusal(p *manifest.Problem) *Error {
	return &Error{Place: p.Place, Err: errors.New(p.Message)}
}

// guardFolder looks at the files of a folder that has no kustomization: all of
// them are parsed to write one, before any is asked for.
func (b *build) guardFolder() error {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if _, err := os.Stat(filepath.Join(b.dir, name)); err == nil {
			return nil
		}
	}
	var refused error
	_ = filepath.WalkDir(b.dir, func(name string, entry os.DirEntry, err error) error {
		ext := filepath.Ext(name)
		if err != nil || entry.IsDir() || ext != ".yaml" && ext != ".yml" {
			return nil // what cannot be read, the build tells
		}
		var placed *Error
		if _, err := b.reads.guard(name, os.ReadFile); errors.As(err, &placed) {
			refused = placed
			return filepath.SkipAll
		}
		return nil
	})
	return refused
}
