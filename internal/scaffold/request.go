package scaffold

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"hearth/internal/domain"
)

// Request says what application is wanted.
type Request struct {
	Namespace, Name string
	Image           Image
	// Port is what the application listens on; 0 means that nobody calls it.
	Port     int
	Database bool
	// Expose says who is to reach it; "" means the cluster alone.
	Expose domain.Exposure
	// Host is its hostname, or the first label of it; "" means its name.
	Host string
	// Tunnel is the name of the Cloudflare Tunnel that serves the VPN; "" means
	// the one that the repository's DNS records lead to.
	Tunnel string
	// Storage is what it keeps.
	Storage []Storage
	// Secrets are the keys that it reads from the vault.
	Secrets []string
}

// Image is a container image.
type Image struct {
	Repository, Tag, Digest string
}

// Pinned is the tag as values want it, with the digest where there is one.
func (i Image) Pinned() string {
	if i.Digest == "" {
		return i.Tag
	}
	return i.Tag + "@" + i.Digest
}

var (
	imageRepository = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)
	imageTag        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	imageDigest     = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// ParseImage reads REPOSITORY:TAG, with @sha256:… behind it or not.
func ParseImage(text string) (Image, error) {
	const want = "give it as REPOSITORY:TAG@sha256:DIGEST"
	name, digest, pinned := strings.Cut(text, "@")
	image := Image{Repository: name, Digest: digest}
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		image.Repository, image.Tag = name[:colon], name[colon+1:]
	}
	switch {
	case !imageRepository.MatchString(image.Repository):
		return Image{}, fmt.Errorf("%q is no image: %s", text, want)
	case image.Tag == "":
		return Image{}, fmt.Errorf("the image %s has no tag: %s", text, want)
	case !imageTag.MatchString(image.Tag):
		return Image{}, fmt.Errorf("%q is no tag of an image: %s", image.Tag, want)
	case image.Tag == "latest":
		return Image{}, fmt.Errorf("the tag latest of %s changes unpredictably: name a version, and %s", image.Repository, want)
	case pinned && !imageDigest.MatchString(digest):
		return Image{}, fmt.Errorf("%q is no digest of an image: %s", digest, want)
	}
	return image, nil
}

// Storage is a volume: a claim of a size, or a folder of an NFS server.
type Storage struct {
	Size         string
	Server, Path string
}

// ParseStorage reads a size such as 10Gi, or nfs:SERVER:/PATH.
func ParseStorage(text string) (Storage, error) {
	if rest, ok := strings.CutPrefix(text, "nfs:"); ok {
		server, folder, _ := strings.Cut(rest, ":")
		if !hostname(server) || !strings.HasPrefix(folder, "/") || path.Clean(folder) != folder {
			return Storage{}, fmt.Errorf("%q is no folder of an NFS server: give it as nfs:SERVER:/PATH", text)
		}
		return Storage{Server: server, Path: folder}, nil
	}
	size, err := resource.ParseQuantity(text)
	if err != nil || size.Sign() <= 0 {
		return Storage{}, fmt.Errorf("%q is neither a size such as 10Gi nor nfs:SERVER:/PATH", text)
	}
	return Storage{Size: text}, nil
}

// maxName is the longest name that Helm takes for a release.
const maxName = 53

// keyName is what a field of the vault must be called to be a name in a
// template and of an environment variable.
var keyName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (r *Request) validate() error {
	for _, n := range []struct{ what, name string }{{"namespace", r.Namespace}, {"name", r.Name}} {
		if len(validation.IsDNS1123Label(n.name)) > 0 || len(n.name) > maxName {
			return fmt.Errorf("%q cannot be the %s of an application: it is lower-case letters, digits and hyphens, %d at most", n.name, n.what, maxName)
		}
	}
	switch {
	case r.Image.Repository == "":
		return errors.New("an application needs an image: give it with --image REPOSITORY:TAG@sha256:DIGEST")
	case r.Port < 0 || r.Port > 65535:
		return fmt.Errorf("%d is no port", r.Port)
	case r.Expose != "" && r.Port == 0:
		return errors.New("what is reached from outside needs a port: give it with --port")
	case !slices.Contains([]domain.Exposure{"", domain.PublicExposure, domain.LANExposure, domain.VPNExposure}, r.Expose):
		return fmt.Errorf("--expose %q is none of public, lan, vpn", r.Expose)
	case r.Host != "" && r.Expose == "":
		return errors.New("a hostname is for what is reached from outside: give --expose, too")
	case r.Host != "" && !hostname(r.Host):
		return fmt.Errorf("%q is no hostname", r.Host)
	case r.Tunnel != "" && r.Expose != domain.VPNExposure:
		return errors.New("a tunnel is for what is exposed to the VPN: give --expose vpn, too")
	case r.Tunnel != "" && !hostname(r.Tunnel):
		return fmt.Errorf("%q is no name of a tunnel", r.Tunnel)
	}
	return r.validateLists()
}

func (r *Request) validateLists() error {
	seen := map[string]bool{}
	for _, key := range r.Secrets {
		if !keyName.MatchString(key) || seen[key] {
			return fmt.Errorf("%q cannot be a key of the secret: each is given once, as letters, digits and underscores", key)
		}
		seen[key] = true
	}
	kinds := map[bool]bool{}
	for _, s := range r.Storage {
		if nfs := s.Server != ""; kinds[nfs] {
			return errors.New("an application is begun with one claim and one NFS folder at most: add others to its helmrelease.yaml")
		} else {
			kinds[nfs] = true
		}
	}
	return nil
}

// variable is the use of a variable that Flux substitutes.
var variable = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// hostname reports whether a text is a DNS name once its variables are filled
// in.
func hostname(text string) bool {
	return len(validation.IsDNS1123Subdomain(variable.ReplaceAllString(text, "v"))) == 0
}
