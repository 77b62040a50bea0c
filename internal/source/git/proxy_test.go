package git

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"hearth/internal/source/gittest"
	"hearth/internal/source/guard"
)

// tunnel copies both ways until one side ends.
func tunnel(a, b net.Conn, buffered io.Reader) {
	go func() {
		_, _ = io.Copy(b, buffered)
		b.Close()
	}()
	_, _ = io.Copy(a, b)
	a.Close()
}

// proxyServer answers as an http proxy, with a tunnel and without.
func proxyServer(t *testing.T, used *atomic.Int64) *url.URL {
	t.Helper()
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL = r.In.URL }}
	raw := listen(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "Basic b3duZXI6aHVudGVyMg==" { // owner:hunter2
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		used.Add(1)
		if r.Method != http.MethodConnect {
			forward.ServeHTTP(w, r)
			return
		}
		to, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		tunnel(conn, to, buffered)
	}))
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// socksServer answers as a SOCKS5 proxy that asks for a name and a password.
func socksServer(t *testing.T, used *atomic.Int64) *url.URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveSOCKS(conn, used)
		}
	}()
	return &url.URL{Scheme: "socks5", Host: listener.Addr().String()}
}

func serveSOCKS(conn net.Conn, used *atomic.Int64) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	read := func(n int) []byte {
		p := make([]byte, n)
		_, _ = io.ReadFull(r, p)
		return p
	}
	read(int(read(2)[1])) // the methods offered
	_, _ = conn.Write([]byte{5, 2})
	user := string(read(int(read(2)[1])))
	password := string(read(int(read(1)[0])))
	if user != "owner" || password != "hunter2" {
		_, _ = conn.Write([]byte{1, 1})
		return
	}
	_, _ = conn.Write([]byte{1, 0})
	host := net.IP(nil).String()
	switch read(4)[3] {
	case 1:
		host = net.IP(read(4)).String()
	case 3:
		host = string(read(int(read(1)[0])))
	}
	port := binary.BigEndian.Uint16(read(2))
	to, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
	if err != nil {
		_, _ = conn.Write([]byte{5, 1, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	used.Add(1)
	_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	tunnel(conn, to, r)
}

func TestProxy(t *testing.T) {
	server := gittest.NewServer(t)
	homelab(t, server)
	signer, identity := gittest.NewKey(t, "")
	sshURL, hosts := server.SSH(signer.PublicKey())
	httpURL := server.HTTP()
	var used atomic.Int64
	for name, address := range map[string]*url.URL{"http": proxyServer(t, &used), "socks5": socksServer(t, &used)} {
		for _, at := range []string{httpURL, sshURL} {
			for _, password := range []string{"hunter2", "hunter3"} {
				via, err := guard.ProxyOf(map[string][]byte{"address": []byte(address.String()), "username": []byte("owner"), "password": []byte(password)})
				if err != nil {
					t.Fatal(err)
				}
				before := used.Load()
				remote := Remote{URL: at + "/home.git", Proxy: via}
				if strings.HasPrefix(at, "ssh") {
					remote.Credentials = Credentials{Identity: identity, KnownHosts: []byte(hosts)}
				}
				_, _, err = clone(t, remote, Ref{Branch: "main"}, CheckoutOptions{})
				if ok := err == nil && used.Load() > before; ok != (password == "hunter2") {
					t.Errorf("%s to %s with %s: %v, used %d times", name, at, password, err, used.Load()-before)
				}
				if err != nil && strings.Contains(err.Error(), "hunter") {
					t.Errorf("the error holds a secret: %v", err)
				}
			}
		}
	}
}

func TestAProxyDoesNotLeadAroundTheGuard(t *testing.T) {
	var used atomic.Int64
	via := proxyServer(t, &used)
	via.User = url.UserPassword("owner", "hunter2")
	for _, raw := range []string{"http://169.254.169.254/home.git", "http://[fe80::1]/home.git"} {
		_, err := Open(t.Context(), Remote{URL: raw, Proxy: via})
		if err == nil || !strings.Contains(err.Error(), "link-local") || used.Load() > 0 {
			t.Errorf("%s: %v, used %d times", raw, err, used.Load())
		}
	}
}
