package echo

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"time"
)

const (
	welcome   = "Gateway API Test TCP Server\n"
	lineIdle  = 2 * time.Minute
	handshake = 10 * time.Second
)

// lineAnswer is the JSON of the echo server for TCP.
type lineAnswer struct {
	Namespace string      `json:"namespace"`
	Ingress   string      `json:"ingress"`
	Service   string      `json:"service"`
	Pod       string      `json:"pod"`
	TCPPort   string      `json:"tcpport"`
	IsTLS     bool        `json:"isTLS"`
	TLS       *encryption `json:"tls,omitempty"`
}

// serveLines answers lines, after a welcome, until the connection or the
// context ends.
func (p *Pod) serveLines(ctx context.Context, conn net.Conn, encrypted bool, traits Traits) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer conn.Close()
	answer := lineAnswer{Namespace: p.Namespace, Pod: p.Name, TCPPort: strconv.Itoa(int(p.Port)), IsTLS: encrypted}
	if encrypted {
		certificate, err := traits.certificate()
		if err != nil {
			return
		}
		inside := tls.Server(conn, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}})
		shaking, cancel := context.WithTimeout(ctx, handshake)
		defer cancel()
		if inside.HandshakeContext(shaking) != nil {
			return
		}
		state := inside.ConnectionState()
		answer.TLS = encryptionOf(&state)
		answer.TLS.Version = tls.VersionName(state.Version)
		conn = inside
	}
	told, err := json.Marshal(answer)
	if err != nil {
		return
	}
	converse(conn, string(told), encrypted)
}

// converse answers line by line; those that it does not know it passes over.
func converse(conn net.Conn, told string, encrypted bool) {
	say := func(text string) bool {
		_ = conn.SetDeadline(time.Now().Add(lineIdle))
		_, err := fmt.Fprint(conn, text)
		return err == nil
	}
	if !say(welcome) {
		return
	}
	lines := bufio.NewScanner(conn) // which bounds the length of a line
	for lines.Scan() {
		answer := ""
		switch lines.Text() {
		case "PING":
			answer = "PONG\n"
		case "IS_TLS":
			answer = fmt.Sprintf("%t\n", encrypted)
		case "TEST":
			answer = told + "\n"
		}
		if !say(answer) {
			return
		}
	}
}
