// Package echo answers for virtual pods, to which a gateway leads requests but
// in which nothing runs: it tells what arrived, where, and how.
//
// It promises, over HTTP/1.1 and HTTP/2, the JSON of the Gateway API's own echo
// server, so that its conformance suite can read it; an empty message, or that
// server's own, to every gRPC call; what was sent, back to a websocket; and a
// certificate where TLS reaches the pod. "?delay=1s" answers later, a header
// "X-Echo-Set-Header: name:value" asks for a header of the answer.
package echo

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Pod answers for a port of a pod. It may be used concurrently, and does not
// change.
type Pod struct {
	Namespace, Name string
	Port            int32
	// HTTP2 says that its clients speak HTTP/2 to it without TLS.
	HTTP2 bool
	// Look tells what a connection has to know of the pod; nil is nothing.
	Look func(context.Context) Traits
}

// Traits are what a pod is like for who connects to it.
type Traits struct {
	// Certificate is what it proves itself with; nil is one of its own making.
	Certificate *tls.Certificate
	// Lines says that it speaks the line protocol of the Gateway API's own echo
	// server for TCP instead of HTTP.
	Lines bool
}

// answer is the echo's JSON.
type answer struct {
	Path     string              `json:"path"`
	Host     string              `json:"host"`
	Method   string              `json:"method"`
	Proto    string              `json:"proto"`
	Headers  map[string][]string `json:"headers"`
	HTTPPort string              `json:"httpPort"`

	Namespace string `json:"namespace"`
	Ingress   string `json:"ingress"`
	Service   string `json:"service"`
	Pod       string `json:"pod"`

	TLS *encryption `json:"tls,omitempty"`
}

type encryption struct {
	Version            string   `json:"version"`
	PeerCertificates   []string `json:"peerCertificates,omitempty"`
	ServerName         string   `json:"serverName"`
	NegotiatedProtocol string   `json:"negotiatedProtocol,omitempty"`
	CipherSuite        string   `json:"cipherSuite"`
}

// maxDelay bounds how long a request may ask to be kept.
const maxDelay = time.Minute

// ServeHTTP answers a request. When its context ends before, it answers nothing.
func (p *Pod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isWebsocket(r) {
		serveWebsocket(w, r)
		return
	}
	if !delay(r.Context(), r.URL.RawQuery, r) {
		return
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		p.serveGRPC(w, r)
		return
	}
	proto := r.Proto
	if r.TLS == nil {
		proto = "HTTP/1.1"
		if p.HTTP2 {
			proto = "HTTP/2.0"
		}
	}
	body, err := json.MarshalIndent(answer{
		Path: r.RequestURI, Host: r.Host, Method: r.Method, Proto: proto, Headers: r.Header,
		HTTPPort: strconv.Itoa(int(p.Port)), Namespace: p.Namespace, Pod: p.Name, TLS: encryptionOf(r.TLS),
	}, "", " ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	setAsked(w.Header(), r.Header)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// delay waits as long as the query asks; false means that the request ended.
func delay(ctx context.Context, query string, r *http.Request) bool {
	if !strings.Contains(query, "delay=") {
		return true
	}
	d, err := time.ParseDuration(r.URL.Query().Get("delay"))
	if err != nil || d <= 0 {
		return true
	}
	timer := time.NewTimer(min(d, maxDelay))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// setAsked sets the headers that a request asks for, with their names as they
// are written.
func setAsked(h http.Header, asked http.Header) {
	for _, list := range asked["X-Echo-Set-Header"] {
		for pair := range strings.SplitSeq(list, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), ":")
			if name == "" {
				continue
			}
			if had := h[name]; len(had) > 0 {
				value = had[0] + "," + strings.TrimSpace(value)
			}
			h[name] = []string{value}
		}
	}
}

var versions = map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"}

func encryptionOf(state *tls.ConnectionState) *encryption {
	if state == nil {
		return nil
	}
	e := &encryption{
		Version: versions[state.Version], ServerName: state.ServerName,
		NegotiatedProtocol: state.NegotiatedProtocol, CipherSuite: tls.CipherSuiteName(state.CipherSuite),
	}
	for _, c := range state.PeerCertificates {
		e.PeerCertificates = append(e.PeerCertificates, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
	}
	return e
}
