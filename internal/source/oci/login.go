package oci

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
)

// Login is who one is to a registry.
type Login struct {
	// Server is a host, with a port where it is not the usual one, and a path
	// where only repositories below it are meant. Labels of the host may be
	// patterns: *.example.org.
	Server string
	authn.AuthConfig
}

// Logins are the credentials at hand. They answer for the repository that they
// name most closely, or else for none.
type Logins []Login

const (
	maxLogins  = 1000
	dockerHost = "index.docker.io"
)

// Basic returns the login by name and password to all that a registry has.
func Basic(server, username, password string) Logins {
	return Logins{{Server: normalized(server), AuthConfig: authn.AuthConfig{Username: username, Password: password}}}
}

// DockerLogins reads what a Secret of type kubernetes.io/dockerconfigjson, or
// its predecessor kubernetes.io/dockercfg, holds. No error cites it.
func DockerLogins(content []byte) (Logins, error) {
	var config struct {
		Auths map[string]authn.AuthConfig `json:"auths"`
	}
	err := json.Unmarshal(content, &config)
	if err == nil && config.Auths == nil {
		err = json.Unmarshal(content, &config.Auths)
	}
	if err != nil {
		return nil, errors.New("it is no Docker configuration")
	}
	if len(config.Auths) > maxLogins {
		return nil, errors.New("it holds too many registries")
	}
	logins := Logins{}
	for server, login := range config.Auths {
		logins = append(logins, Login{normalized(server), login})
	}
	slices.SortFunc(logins, func(a, b Login) int { return strings.Compare(a.Server, b.Server) })
	return logins, nil
}

// normalized reduces the ways to write a registry to one.
func normalized(server string) string {
	if _, rest, ok := strings.Cut(server, "://"); ok {
		server = rest
	}
	host, rest, _ := strings.Cut(strings.TrimRight(server, "/"), "/")
	if rest == "v1" || rest == "v2" { // of the API, not of a repository
		rest = ""
	}
	host = strings.ToLower(host)
	if host == "docker.io" || host == "registry-1.docker.io" {
		host = dockerHost
	}
	return strings.TrimSuffix(host+"/"+rest, "/")
}

// Resolve returns the login for a registry or a repository.
func (l Logins) Resolve(resource authn.Resource) (authn.Authenticator, error) {
	return l.ResolveContext(context.Background(), resource)
}

// ResolveContext is Resolve; nobody is asked.
func (l Logins) ResolveContext(_ context.Context, resource authn.Resource) (authn.Authenticator, error) {
	best, found := Login{}, false
	for _, login := range l {
		if login.fits(resource.String()) && (!found || len(login.Server) > len(best.Server)) {
			best, found = login, true
		}
	}
	if !found {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(best.AuthConfig), nil
}

func (l Login) fits(repository string) bool {
	host, below, _ := strings.Cut(repository, "/")
	server, prefix, _ := strings.Cut(l.Server, "/")
	if prefix != "" && below != prefix && !strings.HasPrefix(below, prefix+"/") {
		return false
	}
	return sameHost(server, strings.ToLower(host))
}

// sameHost compares host and port label by label.
func sameHost(pattern, host string) bool {
	if pattern == host {
		return true
	}
	patternHost, patternPort := splitPort(pattern)
	name, port := splitPort(host)
	labels, patterns := strings.Split(name, "."), strings.Split(patternHost, ".")
	if patternPort != port || len(labels) != len(patterns) {
		return false
	}
	for i := range labels {
		if ok, err := path.Match(patterns[i], labels[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

func splitPort(host string) (name, port string) {
	if name, port, err := net.SplitHostPort(host); err == nil {
		return name, port
	}
	return host, ""
}
