package guard

import (
	"errors"
	"net/url"
)

// ProxyOf reads a proxy's address and credentials from a Secret's data.
func ProxyOf(data map[string][]byte) (*url.URL, error) {
	address := string(data["address"])
	if address == "" {
		return nil, errors.New("the proxy secret has no key 'address'")
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("the proxy secret's address is no URL")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return nil, errors.New("the proxy secret's address must be an http, https or socks5 URL")
	}
	username, password := string(data["username"]), string(data["password"])
	switch {
	case username != "" && password != "":
		u.User = url.UserPassword(username, password)
	case username != "":
		u.User = url.User(username)
	}
	return u, nil
}
