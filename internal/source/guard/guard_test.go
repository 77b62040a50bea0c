package guard

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
)

func TestReach(t *testing.T) {
	for address, want := range map[string]Reach{
		"1.1.1.1": Public, "140.82.121.4": Public, "172.32.0.1": Public, "2606:4700::1111": Public, "::ffff:1.1.1.1": Public, "64:ff9b::101:101": Public,
		"127.0.0.1": Private, "::1": Private, "10.1.2.3": Private, "192.168.1.1": Private, "172.16.0.1": Private,
		"100.64.0.1": Private, "192.0.0.8": Private, "198.18.0.1": Private, "fc00::1": Private, "fd12::1": Private, "fec0::1": Private,
		"::ffff:10.0.0.1": Private, "::ffff:127.0.0.1": Private, "64:ff9b::a00:1": Private, "64:ff9b::7f00:1": Private, "2002:a00:1::": Private, "::10.0.0.1": Private,
		"169.254.169.254": Forbidden, "169.254.0.1": Forbidden, "fe80::1": Forbidden, "fe80::1%eth0": Forbidden, "::ffff:169.254.169.254": Forbidden,
		"64:ff9b::a9fe:a9fe": Forbidden, "2002:a9fe:a9fe::1": Forbidden, "::169.254.169.254": Forbidden,
		"fd00:ec2::254": Forbidden, "fd20:ce::254": Forbidden, "100.100.100.200": Forbidden, "168.63.129.16": Forbidden, "192.0.0.192": Forbidden,
		"0.0.0.0": Forbidden, "0.1.2.3": Forbidden, "::": Forbidden, "224.0.0.1": Forbidden, "ff02::1": Forbidden, "255.255.255.255": Forbidden,
	} {
		if got := Of(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is %d, want %d", address, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	own := &url.URL{Scheme: "https", Host: "registry.example.org"}
	type step struct {
		host, ip string
		refused  bool
	}
	const home, other = "registry.example.org:443", "cdn.example.org:443"
	for name, test := range map[string]struct {
		guard *Guard
		steps []step
	}{
		"a public server leads to a public one":     {New(own, false), []step{{home, "1.1.1.1", false}, {other, "1.0.0.1", false}}},
		"a public server leads to a private one":    {New(own, false), []step{{home, "1.1.1.1", false}, {other, "10.0.0.1", true}}},
		"a private server leads to a private one":   {New(own, false), []step{{home, "10.0.0.1", false}, {other, "10.0.0.2", false}}},
		"a private server leads to metadata":        {New(own, false), []step{{home, "10.0.0.1", false}, {other, "169.254.169.254", true}}},
		"a name turns private":                      {New(own, false), []step{{home, "1.1.1.1", false}, {home, "10.0.0.1", true}}},
		"elsewhere before anything is known":        {New(own, false), []step{{other, "10.0.0.1", true}}},
		"private addresses are refused":             {New(own, true), []step{{home, "10.0.0.1", true}, {home, "127.0.0.1", true}, {home, "1.1.1.1", false}}},
		"a child of what is public":                 {New(&url.URL{Scheme: "https", Host: "a"}, false).Child(own), []step{{home, "10.0.0.1", true}, {home, "1.1.1.1", false}}},
		"link-local, though the owner wrote it":     {New(own, false), []step{{home, "169.254.0.7", true}, {home, "fe80::1", true}}},
		"upper and lower case are the same":         {New(&url.URL{Scheme: "https", Host: "Registry.Example.ORG"}, false), []step{{home, "10.0.0.1", false}}},
		"the default port is the same as none":      {New(&url.URL{Scheme: "oci", Host: "registry.example.org"}, false), []step{{home, "10.0.0.1", false}}},
		"another port of a private server is other": {New(&url.URL{Scheme: "http", Host: "registry.example.org"}, false), []step{{home, "10.0.0.1", true}}},
	} {
		for i, s := range test.steps {
			if err := test.guard.Check(s.host, netip.MustParseAddr(s.ip)); errors.Is(err, ErrRefused) != s.refused {
				t.Errorf("%s, step %d: %v", name, i, err)
			}
		}
	}
}

func TestTransport(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	get := func(g *Guard, via *url.URL, at string) error {
		asked = false
		transport := g.Transport(nil, via)
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get(at)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	if err := get(New(u, false), nil, server.URL); err != nil || !asked {
		t.Errorf("a private server: %v", err)
	}
	if err := get(New(u, true), nil, server.URL); !errors.Is(err, ErrRefused) || asked {
		t.Errorf("a private server where these are refused: %v", err)
	}
	metadata := &url.URL{Scheme: "http", Host: "169.254.169.254"}
	if err := get(New(metadata, false), u, metadata.String()); !errors.Is(err, ErrRefused) || asked {
		t.Errorf("metadata through a proxy: %v", err)
	}
	if err := get(New(&url.URL{Scheme: "http", Host: "example.invalid"}, true), u, "http://example.invalid"); err != nil || !asked {
		t.Errorf("a name that only the proxy knows: %v", err)
	}
}
