package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	generator "github.com/fluxcd/pkg/kustomize"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"hearth/internal/manifest"
)

// recordingFS is the artifact as kustomize sees it. It notes what is read, to
// tell where a failed build went wrong, and looks into kustomizations before
// kustomize does.
type recordingFS struct {
	filesys.FileSystem
	root      string
	generated string // the kustomization that the Flux Kustomization is laid over
	overlay   []byte // what that says; it is nowhere on disk
	offline   bool
	alone     bool // no other build runs
	decrypter Decrypter

	read        []string
	secretFiles map[string]secretFile // by path
	ownSchema   bool
	refused     error // kustomize goes on after an error, and tells of another
}

// ReadFile reads a file of the artifact.
func (fs *recordingFS) ReadFile(name string) ([]byte, error) {
	data, err := fs.text(name)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(fs.read, name) {
		fs.read = append(fs.read, name)
	}
	if data, err = fs.decrypted(name, data); err != nil || !isKustomizationFile(name) {
		return data, err
	}
	if bytes.Contains(data, []byte("openapi")) && !fs.alone {
		fs.ownSchema = true
		return nil, errOwnSchema
	}
	if fs.offline {
		if err := fs.checkLocal(name, data); err != nil {
			fs.refused = err
			return nil, err
		}
	}
	return data, nil
}

// text returns what kustomize is to read in a file.
func (fs *recordingFS) text(name string) ([]byte, error) {
	if name == fs.generated {
		return fs.overlay, nil
	}
	data, err := fs.guard(name, fs.FileSystem.ReadFile)
	var refused *Error
	if errors.As(err, &refused) {
		fs.refused = refused
	}
	return data, err
}

func isKustomizationFile(name string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(name))
}

// references are the fields of a kustomization that name other files or
// folders, with the field of an item that does where items are mappings.
var references = []struct{ field, item string }{
	{"resources", ""}, {"components", ""}, {"bases", ""}, {"crds", ""}, {"configurations", ""},
	{"generators", ""}, {"transformers", ""}, {"validators", ""}, {"patchesStrategicMerge", ""},
	{"patches", "path"}, {"patchesJson6902", "path"}, {"replacements", "path"},
}

// eachReference calls f for every file or folder that a kustomization names.
func eachReference(doc *manifest.Document, f func(target string, line int) bool) {
	for _, ref := range references {
		for i := 0; ; i++ {
			path := []string{ref.field, fmt.Sprint(i)}
			if _, ok := doc.Find(path...); !ok {
				break
			}
			if ref.item != "" {
				path = append(path, ref.item)
			}
			if target := doc.Text(path...); target != "" && !f(target, doc.FieldLine(path...)) {
				return
			}
		}
	}
	eachGeneratorFile(doc, f)
}

// eachGeneratorFile calls f for every file that a generator reads.
func eachGeneratorFile(doc *manifest.Document, f func(target string, line int) bool) {
	for _, generator := range []string{"configMapGenerator", "secretGenerator"} {
		for i := 0; ; i++ {
			item := []string{generator, fmt.Sprint(i)}
			if _, ok := doc.Find(item...); !ok {
				break
			}
			for _, list := range []string{"files", "envs"} {
				for j := 0; ; j++ {
					path := append(item[:2:2], list, fmt.Sprint(j))
					target := doc.Text(path...)
					if target == "" {
						break
					}
					if _, file, named := strings.Cut(target, "="); named {
						target = file
					}
					if !f(target, doc.FieldLine(path...)) {
						return
					}
				}
			}
		}
	}
}

// checkLocal refuses a kustomization that names what must be fetched.
func (fs *recordingFS) checkLocal(name string, data []byte) error {
	if !remoteHint(data) {
		return nil
	}
	// What is broken in it, kustomize says.
	docs, _ := manifest.Parse(fs.rel(name), data)
	var err error
	for _, doc := range docs {
		eachReference(doc, func(target string, line int) bool {
			if isRemote(target) {
				err = &Error{
					Place: fs.source(name, doc.File, line),
					Err:   fmt.Errorf("%s must be fetched, and %w", target, ErrOffline),
				}
			}
			return err == nil
		})
	}
	return err
}

// remoteHint reports whether a kustomization may name anything remote at all.
func remoteHint(data []byte) bool {
	for _, hint := range []string{"://", "git", "gh:"} {
		if bytes.Contains(bytes.ToLower(data), []byte(hint)) {
			return true
		}
	}
	return false
}

func isRemote(target string) bool {
	return !strings.Contains(target, "\n") && !filepath.IsAbs(target) && !generator.IsLocalRelativePath(target)
}

// rel returns a path of the artifact relative to its root, with slashes.
func (fs *recordingFS) rel(name string) string {
	rel, err := filepath.Rel(fs.root, name)
	if err != nil {
		return filepath.ToSlash(name)
	}
	return filepath.ToSlash(rel)
}
