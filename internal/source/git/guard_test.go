package git

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"hearth/internal/source/gittest"
	"hearth/internal/source/guard"
)

// around opens a repository as if the addresses given were public; all others
// of loopback are private.
func around(t *testing.T, remote Remote, publicHosts ...string) error {
	t.Helper()
	u, err := parseURL(remote.URL)
	if err != nil {
		t.Fatal(err)
	}
	g := guard.New(u, remote.RefusePrivate).Classified(func(ip netip.Addr) guard.Reach {
		for _, host := range publicHosts {
			if ip.Unmap().String() == host {
				return guard.Public
			}
		}
		return guard.Of(ip)
	})
	session, err := open(t.Context(), u, remote, g)
	if err != nil {
		return err
	}
	target, err := session.Resolve(Ref{Branch: "main"})
	if err != nil {
		return err
	}
	snapshot, err := session.Fetch(t.Context(), target, t.TempDir())
	if err != nil {
		return err
	}
	return snapshot.Checkout(t.Context(), t.TempDir(), CheckoutOptions{Submodules: true})
}

// listen serves on one address of loopback.
func listen(t *testing.T, ip string, handler http.Handler) string {
	t.Helper()
	listener, err := net.Listen("tcp", ip+":0")
	if err != nil {
		t.Skipf("this machine has no address %s: %v", ip, err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func TestRedirects(t *testing.T) {
	server := gittest.NewServer(t)
	homelab(t, server)
	var seen []string
	server.Allow = func(r *http.Request) bool {
		seen = append(seen, r.Header.Get("Authorization"))
		return true
	}
	privateURL, publicURL := listen(t, "127.0.0.1", server), listen(t, "127.0.0.3", server)
	to := ""
	redirect := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/own"); ok { // on the same server
			http.Redirect(w, r, rest+"?"+r.URL.RawQuery, http.StatusFound)
			return
		}
		if to == "" {
			server.ServeHTTP(w, r)
			return
		}
		http.Redirect(w, r, to+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
	})
	fromPrivate, fromPublic := listen(t, "127.0.0.1", redirect), listen(t, "127.0.0.2", redirect)
	publicHosts := []string{"127.0.0.2", "127.0.0.3"}
	const info = "/home.git/info/refs"

	for name, test := range map[string]struct {
		from, path, to string
		refuse         bool
		err            string
	}{
		"private to private":          {from: fromPrivate, to: privateURL + info},
		"private to public":           {from: fromPrivate, to: publicURL + info},
		"public to public":            {from: fromPublic, to: publicURL + info},
		"on the same server":          {from: fromPrivate, path: "/own"},
		"public to private":           {from: fromPublic, to: privateURL + info, err: "private address"},
		"public to metadata":          {from: fromPublic, to: "http://169.254.169.254" + info, err: "link-local"},
		"private to metadata":         {from: fromPrivate, to: "http://169.254.169.254" + info, err: "link-local"},
		"private to link-local, IPv6": {from: fromPrivate, to: "http://[fe80::1]" + info, err: "link-local"},
		"private to mapped metadata":  {from: fromPrivate, to: "http://[::ffff:169.254.169.254]" + info, err: "link-local"},
		"private refused":             {from: fromPrivate, to: publicURL + info, refuse: true, err: "private address"},
		"to a file":                   {from: fromPrivate, to: "file:///etc/passwd", err: "neither http nor https"},
		"to what is no repository":    {from: fromPrivate, to: privateURL + "/secret", err: "no Git repository"},
		"round and round":             {from: fromPrivate, to: fromPrivate + info, err: "more than 5 times"},
	} {
		t.Run(name, func(t *testing.T) {
			to, seen = test.to, nil
			err := around(t, Remote{
				URL: test.from + test.path + "/home.git", RefusePrivate: test.refuse,
				Credentials: Credentials{Username: "owner", Password: "hunter2"},
			}, publicHosts...)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("got %v, want %q", err, test.err)
			}
			for _, authorization := range seen {
				if (authorization != "") != (test.path == "/own") {
					t.Errorf("the server was shown %q", authorization)
				}
			}
			if test.err == "" && len(seen) == 0 {
				t.Error("the server was not asked")
			}
		})
	}
}

func TestWhatARepositoryLeadsToIsGuarded(t *testing.T) {
	inner := gittest.NewServer(t)
	homelab(t, inner)
	var shown []string
	inner.Allow = func(r *http.Request) bool { shown = append(shown, r.Header.Get("Authorization")); return true }
	privateURL, publicURL := listen(t, "127.0.0.1", inner), listen(t, "127.0.0.3", inner)
	for name, test := range map[string]struct {
		module, from string
		err          error
	}{
		"public to public":   {publicURL, "127.0.0.2", nil},
		"private to private": {privateURL, "127.0.0.1", nil},
		"public to private":  {privateURL, "127.0.0.2", ErrRefused},
		"to metadata":        {"http://169.254.169.254", "127.0.0.1", ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			shown = nil
			outer := gittest.NewServer(t)
			r := gittest.NewRepository(t)
			_, commits := homelab(t, inner)
			r.Set("refs/heads/main", r.Commit(gittest.Files{
				".gitmodules": gittest.Text("[submodule \"m\"]\n\tpath = m\n\turl = " + test.module + "/home.git\n"), "m": gittest.Module(commits[0]),
			}, "m", nil))
			outer.Put("/outer.git", r)
			err := around(t, Remote{URL: listen(t, test.from, outer) + "/outer.git", Credentials: Credentials{Username: "owner", Password: "hunter2"}}, "127.0.0.2", "127.0.0.3")
			if !errors.Is(err, test.err) {
				t.Errorf("got %v", err)
			}
			if strings.Join(shown, "") != "" {
				t.Errorf("the other server was shown %q", shown)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	git := gittest.NewServer(t)
	homelab(t, git)
	server := httptest.NewUnstartedServer(git)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	own := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	for name, test := range map[string]struct {
		data map[string][]byte
		ok   bool
	}{
		"an authority and a certificate": {map[string][]byte{"ca.crt": ca, "tls.crt": ca, "tls.key": keyPEM}, true},
		"their old names":                {map[string][]byte{"caFile": ca, "certFile": ca, "keyFile": keyPEM}, true},
		"no certificate":                 {map[string][]byte{"ca.crt": ca}, false},
		"no authority":                   {map[string][]byte{"tls.crt": ca, "tls.key": keyPEM}, false},
	} {
		credentials, err := CredentialsOf(server.URL, test.data)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = clone(t, Remote{URL: server.URL + "/home.git", Credentials: credentials}, Ref{Branch: "main"}, CheckoutOptions{})
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
