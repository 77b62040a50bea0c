package notification

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
)

func TestGuardRefusesAddresses(t *testing.T) {
	const never, private, public = "never", "private", "public"
	for address, want := range map[string]string{
		"169.254.169.254": never, "169.254.1.1": never, "fe80::1%eth0": never, "::ffff:169.254.169.254": never,
		"64:ff9b::a9fe:a9fe": never, "2002:a9fe:a9fe::1": never, "fd00:ec2::254": never, "100.100.100.200": never,
		"0.0.0.0": never, "0.1.2.3": never, "::": never, "224.0.0.1": never, "ff02::1": never, "255.255.255.255": never,
		"127.0.0.1": private, "::1": private, "10.1.2.3": private, "172.16.0.1": private, "192.168.1.1": private,
		"fc00::1": private, "100.64.0.1": private, "::ffff:127.0.0.1": private, "64:ff9b::7f00:1": private,
		"1.1.1.1": public, "140.82.121.4": public, "2606:4700::1111": public, "172.32.0.1": public,
	} {
		ip := netip.MustParseAddr(address)
		strict, lenient := guard{}.check(ip) == nil, guard{private: true}.check(ip) == nil
		if wantStrict, wantLenient := want == public, want != never; strict != wantStrict || lenient != wantLenient {
			t.Errorf("%s: allowed %v, with private addresses %v; want %v, %v", address, strict, lenient, wantStrict, wantLenient)
		}
	}
}

func TestARefusedAddressIsNotConnectedTo(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	d := &destination{address: server.URL}
	d.http = d.client(nil, nil)
	to, err := d.url()
	if err != nil {
		t.Fatal(err)
	}
	err = d.do(t.Context(), call{method: http.MethodPost, url: to})
	var final permanentError
	if asked || !errors.As(err, &final) {
		t.Errorf("asked: %v, error %v; want a refusal for good", asked, err)
	}
}

func TestAProxyDoesNotReachWhatIsRefused(t *testing.T) {
	asked := false
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer proxy.Close()
	through, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	d := &destination{address: "http://169.254.169.254/latest/meta-data", guard: guard{private: true}, proxied: true}
	d.http = d.client(through, nil)
	to, err := d.url()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.do(t.Context(), call{method: http.MethodPost, url: to}); err == nil || asked {
		t.Errorf("asked: %v, error %v; want a refusal", asked, err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := false
	mux := http.NewServeMux()
	mux.Handle("/from", http.RedirectHandler("/to", http.StatusTemporaryRedirect))
	mux.HandleFunc("/to", func(http.ResponseWriter, *http.Request) { asked = true })
	server := httptest.NewServer(mux)
	defer server.Close()
	d := &destination{address: server.URL + "/from", guard: guard{private: true}}
	d.http = d.client(nil, nil)
	to, err := d.url()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.do(t.Context(), call{method: http.MethodPost, url: to}); err == nil || asked {
		t.Errorf("followed: %v, error %v; want a failure", asked, err)
	}
}
