package kustomize

import (
	"fmt"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// Decrypter decrypts what a build reads and makes. It returns what is not
// encrypted as it is.
type Decrypter interface {
	// File decrypts a file that a secret generator takes in, or a patch. Name
	// tells its format: the key that the file goes to, or its path. Env is set
	// for files of variables.
	File(name string, env bool, data []byte) ([]byte, error)
	// Object decrypts an object, which is given and returned as JSON.
	Object(data []byte) ([]byte, error)
}

// secretFile is a file that is decrypted when it is read.
type secretFile struct {
	name string
	env  bool
}

// noteSecretFiles remembers the files that a kustomization takes into Secrets,
// and its patches. Kustomize reads them after the kustomization.
func (fs *recordingFS) noteSecretFiles(file string, data []byte) {
	var k struct {
		SecretGenerator []struct {
			Files []string `json:"files"`
			Envs  []string `json:"envs"`
			Env   string   `json:"env"`
		} `json:"secretGenerator"`
		Patches []struct {
			Path string `json:"path"`
		} `json:"patches"`
	}
	if yaml.Unmarshal(data, &k) != nil {
		return // kustomize tells what is wrong with it
	}
	if fs.secretFiles == nil {
		fs.secretFiles = map[string]secretFile{}
	}
	note := func(target string, as secretFile) {
		if target == "" || isRemote(target) {
			return
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(file), target)
		}
		if _, noted := fs.secretFiles[target]; !noted {
			fs.secretFiles[target] = as
		}
	}
	for _, generator := range k.SecretGenerator {
		for _, source := range generator.Files {
			key, target, named := strings.Cut(source, "=")
			if !named {
				target = source
			}
			note(target, secretFile{name: key})
		}
		for _, target := range append(generator.Envs, generator.Env) {
			note(target, secretFile{name: target, env: true})
		}
	}
	for _, patch := range k.Patches {
		note(patch.Path, secretFile{name: patch.Path})
	}
}

// decrypted returns what a file holds in plain.
func (fs *recordingFS) decrypted(name string, data []byte) ([]byte, error) {
	if fs.decrypter == nil {
		return data, nil
	}
	if isKustomizationFile(name) {
		fs.noteSecretFiles(name, data)
		return data, nil
	}
	secret, ok := fs.secretFiles[name]
	if !ok {
		return data, nil
	}
	plain, err := fs.decrypter.File(secret.name, secret.env, data)
	if err != nil {
		refused := &Error{Err: fmt.Errorf("error decrypting sources: %w", err)}
		refused.Place.File = fs.rel(name)
		fs.refused = refused
		return nil, refused
	}
	return plain, nil
}
