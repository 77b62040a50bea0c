package oci

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"

	"hearth/internal/source/guard"
	"hearth/internal/source/ocitest"
)

// ask resolves the tag 1 of the repository home.
func ask(t *testing.T, remote Remote) error {
	t.Helper()
	home, err := Open(remote)
	if err != nil {
		t.Fatal(err)
	}
	_, err = home.Resolve(t.Context(), Ref{Tag: "1"})
	return err
}

func TestLogins(t *testing.T) {
	r := ocitest.New(t)
	r.Username, r.Password = "owner", "hunter2"
	push(t, r, "1", "1")
	for name, test := range map[string]struct {
		logins Logins
		ok     bool
	}{
		"nobody":                    {nil, false},
		"the owner":                 {Basic(r.Host(), "owner", "hunter2"), true},
		"a wrong password":          {Basic(r.Host(), "owner", "hunter3"), false},
		"of another registry":       {Basic("ghcr.io", "owner", "hunter2"), false},
		"the closest of them":       {append(Basic(r.Host(), "owner", "no"), Basic(r.Host()+"/home", "owner", "hunter2")...), true},
		"of another repository":     {Basic(r.Host()+"/other", "owner", "hunter2"), false},
		"the registry's, not other": {append(Basic(r.Host()+"/hom", "owner", "no"), Basic(r.Host(), "owner", "hunter2")...), true},
	} {
		err := ask(t, Remote{URL: r.URL("home"), Logins: test.logins})
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: the error cites the password", name)
		}
	}
}

func TestDockerLogins(t *testing.T) {
	logins, err := DockerLogins([]byte(`{"auths":{
		"ghcr.io":{"username":"me","password":"secret"},
		"*.example.org":{"auth":"dzpj"},
		"quay.io/team":{"auth":"dDpt"},
		"https://index.docker.io/v1/":{"auth":"dTpw"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for repository, want := range map[string]string{
		"ghcr.io/a/b": "me:secret", "docker.io/library/x": "u:p", "quay.io/team/x": "t:m", "quay.io/teams/x": ":", "quay.io/other": ":",
		"registry.example.org/x": "w:c", "a.b.example.org/x": ":", "ghcr.io:5000/a": ":",
	} {
		named, err := name.NewRepository(repository)
		if err != nil {
			t.Fatal(err)
		}
		found, err := logins.Resolve(named)
		if err != nil {
			t.Fatal(err)
		}
		config, err := found.Authorization()
		if got := config.Username + ":" + config.Password; err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", repository, got, want, err)
		}
	}
	old, err := DockerLogins([]byte(`{"ghcr.io":{"username":"me","password":"secret"}}`))
	if err != nil || len(old) != 1 || old[0].Username != "me" {
		t.Errorf("of the old format: %d, %v", len(old), err)
	}
	if _, err := DockerLogins([]byte(`{"auths":{"ghcr.io":{"auth":"%%secret"}}}`)); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("of what is none: %v", err)
	}
}

func FuzzDockerLogins(f *testing.F) {
	f.Add([]byte(`{"auths":{"x":{"auth":"dTpw"}}}`))
	f.Add([]byte(`{"x":{"username":"a"}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if logins, err := DockerLogins(content); err != nil && logins != nil {
			t.Error("logins beside an error")
		}
	})
}

func TestTLS(t *testing.T) {
	r := ocitest.NewTLS(t, tls.RequireAnyClientCert)
	push(t, r, "1", "1")
	trust := x509.NewCertPool()
	trust.AddCert(r.Server().Certificate())
	own := r.Server().TLS.Certificates
	for name, test := range map[string]struct {
		remote Remote
		ok     bool
	}{
		"an authority and a certificate": {Remote{TLS: &tls.Config{RootCAs: trust, Certificates: own}}, true},
		"no certificate":                 {Remote{TLS: &tls.Config{RootCAs: trust}}, false},
		"no authority":                   {Remote{TLS: &tls.Config{Certificates: own}}, false},
		"nothing":                        {Remote{}, false},
	} {
		test.remote.URL = r.URL("home")
		if err := ask(t, test.remote); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	any := ocitest.NewTLS(t, tls.NoClientCert)
	push(t, any, "1", "1")
	for insecure := range map[bool]bool{true: true, false: true} {
		if err := ask(t, Remote{URL: any.URL("home"), Insecure: insecure}); (err == nil) != insecure {
			t.Errorf("insecure %t: %v", insecure, err)
		}
	}
}

func TestProxy(t *testing.T) {
	r := ocitest.New(t)
	push(t, r, "1", "1")
	var used atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		used.Add(1)
		req.RequestURI = ""
		response, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		for key, values := range response.Header {
			w.Header()[key] = values
		}
		w.WriteHeader(response.StatusCode)
		io.Copy(w, response.Body)
	}))
	t.Cleanup(proxy.Close)
	via, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := ask(t, Remote{URL: r.URL("home"), Proxy: via, Insecure: true}); err != nil || used.Load() == 0 {
		t.Errorf("used %d times, %v", used.Load(), err)
	}
	used.Store(0)
	if err := ask(t, Remote{URL: "oci://169.254.169.254/home", Proxy: via, Insecure: true}); !errors.Is(err, guard.ErrRefused) || used.Load() > 0 {
		t.Errorf("metadata through it: used %d times, %v", used.Load(), err)
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	r := ocitest.New(t)
	push(t, r, "1", "1")
	if err := ask(t, Remote{URL: r.URL("home"), RefusePrivate: true}); !errors.Is(err, guard.ErrRefused) || r.Requests.Load() > 0 {
		t.Errorf("a private registry: %v after %d requests", err, r.Requests.Load())
	}
	for _, host := range []string{"169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "100.100.100.200"} {
		if err := ask(t, Remote{URL: "oci://" + host + "/home", Insecure: true}); !errors.Is(err, guard.ErrRefused) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestCredentialsAreNotSentInTheClear(t *testing.T) {
	request := httptest.NewRequest(http.MethodGet, "http://token.example.org/", nil)
	request.SetBasicAuth("owner", "hunter2")
	if _, err := (bounded{http.DefaultTransport, true}).RoundTrip(request); !errors.Is(err, guard.ErrRefused) {
		t.Errorf("got %v", err)
	}
}
