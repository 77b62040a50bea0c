package git

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/net/proxy"

	"hearth/internal/source/guard"
)

// dialVia connects to a URL's server, through a proxy if there is one.
func dialVia(ctx context.Context, via, u *url.URL, g *guard.Guard) (net.Conn, error) {
	if via == nil {
		return g.Dial(ctx, "tcp", guard.HostPort(u))
	}
	g.AllowProxy(via)
	if err := g.CheckProxied(ctx, u); err != nil {
		return nil, err
	}
	switch via.Scheme {
	case "socks5", "socks5h":
		return dialSOCKS(ctx, via, u, g)
	default:
		return dialConnect(ctx, via, u, g)
	}
}

func dialSOCKS(ctx context.Context, via, u *url.URL, g *guard.Guard) (net.Conn, error) {
	var auth *proxy.Auth
	if via.User != nil {
		password, _ := via.User.Password()
		auth = &proxy.Auth{User: via.User.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", guard.HostPort(via), auth, guarded{g})
	if err != nil {
		return nil, errors.New("the proxy cannot be used")
	}
	through, ok := dialer.(proxy.ContextDialer)
	if !ok {
		return nil, errors.New("the proxy cannot be used")
	}
	return through.DialContext(ctx, "tcp", guard.HostPort(u))
}

// guarded dials what a guard allows.
type guarded struct{ guard *guard.Guard }

func (d guarded) Dial(network, address string) (net.Conn, error) {
	return d.guard.Dial(context.Background(), network, address)
}

func (d guarded) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.guard.Dial(ctx, network, address)
}

// dialConnect asks an http proxy for a tunnel.
func dialConnect(ctx context.Context, via, u *url.URL, g *guard.Guard) (net.Conn, error) {
	conn, err := g.Dial(ctx, "tcp", guard.HostPort(via))
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	tunnel, err := connectThrough(ctx, conn, via, guard.HostPort(u))
	if err != nil {
		conn.Close()
		return nil, because(ctx, err)
	}
	return tunnel, nil
}

func connectThrough(ctx context.Context, conn net.Conn, via *url.URL, host string) (net.Conn, error) {
	if via.Scheme == "https" {
		secured := tls.Client(conn, &tls.Config{ServerName: via.Hostname(), MinVersion: tls.VersionTLS12})
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("connect to the proxy: %w", err)
		}
		conn = secured
	}
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: host}, Host: host, Header: http.Header{}}
	if via.User != nil {
		password, _ := via.User.Password()
		basic := http.Request{Header: http.Header{}}
		basic.SetBasicAuth(via.User.Username(), password)
		request.Header.Set("Proxy-Authorization", basic.Header.Get("Authorization"))
	}
	if err := request.Write(conn); err != nil {
		return nil, fmt.Errorf("ask the proxy: %w", err)
	}
	reader := bufio.NewReaderSize(conn, 4096)
	response, err := http.ReadResponse(reader, request)
	if err != nil {
		return nil, fmt.Errorf("ask the proxy: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the proxy answers %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	return bufferedConn{conn, reader}, nil
}

// bufferedConn reads first what came behind the proxy's answer.
type bufferedConn struct {
	net.Conn
	reader *bufio.Reader
}

func (c bufferedConn) Read(p []byte) (int, error) { return c.reader.Read(p) }
