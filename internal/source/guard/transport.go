package guard

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Transport returns what speaks http and https under the guard, through a proxy
// if there is one: the one given, or else the environment's.
func (g *Guard) Transport(config *tls.Config, via *url.URL) *http.Transport {
	return &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) { return g.proxyFor(r, via) }, DialContext: g.Dial,
		TLSClientConfig: config, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 30 * time.Second,
		MaxResponseHeaderBytes: 1 << 20, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second,
	}
}

func (g *Guard) proxyFor(r *http.Request, via *url.URL) (*url.URL, error) {
	if via == nil {
		var err error
		if via, err = http.ProxyFromEnvironment(r); err != nil {
			return nil, errors.New("the proxy that the environment names is no URL")
		}
	}
	if via == nil {
		return nil, nil
	}
	g.AllowProxy(via)
	return via, g.CheckProxied(r.Context(), r.URL)
}
