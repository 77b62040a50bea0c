package notification

import (
	"net/url"
	"regexp"
	"strings"
)

// scpAddress is a Git address of the form user@host:path.
var scpAddress = regexp.MustCompile(`^(?:[A-Za-z0-9_.-]+@)?([A-Za-z0-9_.-]+):([^/].*)$`)

// repositoryOf splits a repository's address, over https, ssh or in scp's
// form, into the forge's URL, without a path, and the repository's path.
func repositoryOf(address string) (forge *url.URL, path string, err error) {
	if !strings.Contains(address, "://") {
		if m := scpAddress.FindStringSubmatch(address); m != nil {
			address = "ssh://" + m[1] + "/" + m[2]
		}
	}
	u, parseErr := url.Parse(address)
	if parseErr != nil || u.Hostname() == "" {
		return nil, "", permanent("the Provider's address is no repository's URL")
	}
	forge = &url.URL{Scheme: u.Scheme, Host: u.Host}
	switch u.Scheme {
	case "http", "https":
	case "ssh", "git+ssh":
		forge = &url.URL{Scheme: "https", Host: u.Hostname()} // ssh's port is not the API's
		if strings.Contains(forge.Host, ":") {
			forge.Host = "[" + forge.Host + "]"
		}
	default:
		return nil, "", permanent("the Provider's address is no repository's URL over https or ssh")
	}
	path = strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	for _, part := range strings.Split(path, "/") {
		if part == "" || part == "." || part == ".." {
			return nil, "", permanent("the Provider's address names no repository")
		}
	}
	return forge, path, nil
}

// ownedRepository does so for forges whose repositories have one owner.
func ownedRepository(address string) (forge *url.URL, owner, name string, err error) {
	forge, path, err := repositoryOf(address)
	if err != nil {
		return nil, "", "", err
	}
	owner, name, found := strings.Cut(path, "/")
	if !found || strings.Contains(name, "/") {
		return nil, "", "", permanent("the Provider's address names no repository: its path is not OWNER/NAME")
	}
	return forge, owner, name, nil
}
