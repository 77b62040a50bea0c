package echo

import (
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/websocket"
)

const (
	maxPayload    = 1 << 20 // bytes of a frame
	websocketIdle = 2 * time.Minute
)

func isWebsocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") && r.ProtoMajor == 1
}

// serveWebsocket sends back what it gets.
func serveWebsocket(w http.ResponseWriter, r *http.Request) {
	websocket.Server{Handler: func(conn *websocket.Conn) {
		conn.MaxPayloadBytes = maxPayload
		buffer := make([]byte, 32<<10)
		for {
			_ = conn.SetDeadline(time.Now().Add(websocketIdle))
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			if _, err := conn.Write(buffer[:n]); err != nil && err != io.ErrShortWrite {
				return
			}
		}
	}}.ServeHTTP(w, r)
}
