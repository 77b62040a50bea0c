// Package image plays how nodes come by container images: which node has
// which, how long a pull takes by the domain's table, which nodes serve their
// peers, and in which words registries refuse.
//
// Nothing is pulled, and no registry is asked. A reference is read as a
// container runtime reads it.
package image

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Reference is an image's name, taken apart.
type Reference struct {
	// Given is the name as the pod's author wrote it.
	Given string
	// Registry is the host that is asked, as users call it: "docker.io".
	Registry string
	// Repository is the path at the registry, such as "library/nginx".
	Repository string
	// Tag is "latest" where neither a tag nor a digest is given, and "" where
	// only a digest is.
	Tag string
	// Digest is "" where none is given; otherwise it wins over the tag.
	Digest string
}

// What Docker's registry is called, and where it answers.
const (
	dockerName = "docker.io"
	dockerHost = "registry-1.docker.io"
)

// Parse reads an image's name. The error is what a kubelet says of a bad one.
func Parse(given string) (Reference, error) {
	ref, err := name.ParseReference(given)
	if err != nil {
		return Reference{}, badName(given)
	}
	r := Reference{Given: given, Registry: ref.Context().RegistryStr(), Repository: ref.Context().RepositoryStr()}
	if r.Registry == name.DefaultRegistry {
		r.Registry = dockerName
	}
	rest, digest, _ := strings.Cut(given, "@")
	r.Digest = digest
	if i := strings.LastIndex(rest, ":"); i > strings.LastIndex(rest, "/") {
		r.Tag = rest[i+1:]
	} else if digest == "" {
		r.Tag = name.DefaultTag
	}
	return r, nil
}

func badName(given string) error {
	if lower := strings.ToLower(given); lower != given {
		if _, err := name.ParseReference(lower); err == nil {
			return fmt.Errorf("couldn't parse image name %q: invalid reference format: repository name must be lowercase", given)
		}
	}
	return fmt.Errorf("couldn't parse image name %q: invalid reference format", given)
}

// Name returns the registry and the repository.
func (r Reference) Name() string { return r.Registry + "/" + r.Repository }

// String returns the full name, with the digest, or else the tag.
func (r Reference) String() string {
	if r.Digest != "" {
		return r.Name() + "@" + r.Digest
	}
	return r.Name() + ":" + r.Tag
}

// Names returns what a fault may call the image.
func (r Reference) Names() []string {
	names := []string{r.Given, r.String(), r.Name(), r.Repository}
	if r.Tag != "" {
		names = append(names, r.Name()+":"+r.Tag, r.Repository+":"+r.Tag)
	}
	return names
}

// Base returns the last part of the repository, such as "nginx".
func (r Reference) Base() string { return r.Repository[strings.LastIndex(r.Repository, "/")+1:] }

func (r Reference) host() string {
	if r.Registry == dockerName {
		return dockerHost
	}
	return r.Registry
}

// manifest returns the URL at which the registry is asked for the image.
func (r Reference) manifest() string {
	version := r.Digest
	if version == "" {
		version = r.Tag
	}
	return "https://" + r.host() + "/v2/" + r.Repository + "/manifests/" + version
}
