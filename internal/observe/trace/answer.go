package trace

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
)

// answerTimeout bounds the request that is made, maxAnswer what is read of the
// answer, in bytes.
const (
	answerTimeout = 10 * time.Second
	maxAnswer     = 64 << 10
)

// ask makes the request where the gateway answers on this machine, and reports
// whether it went well. On other clusters nothing is asked.
func (w *walk) ask(ctx context.Context, gateway *gatewayv1.Gateway) bool {
	port := w.Request.URL.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[w.Request.URL.Scheme]
	}
	at, ok := loopbackOf(gateway, port)
	if !ok {
		return true
	}
	w.Curl = fmt.Sprintf("curl -k --connect-to %s:%s:%s '%s'", w.host, port, at, strings.ReplaceAll(w.Report.URL, "'", "%27"))
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, w.Method, w.Report.URL, nil)
	if err != nil {
		w.ends(StepAnswer, at.String(), "%v", err)
		return false
	}
	if w.Header != nil {
		request.Header = w.Header.Clone()
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, at.String())
		},
		// A rehearsal's certificates are nobody's; the address is loopback.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec
	}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		w.ends(StepAnswer, at.String(), "%v", err)
		return false
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode >= http.StatusInternalServerError {
		w.ends(StepAnswer, at.String(), "%s", response.Status)
		return false
	}
	w.goesOn(StepAnswer, at.String(), "%s", response.Status)
	return true
}

// loopbackOf returns where a port of a rehearsal's gateway answers.
func loopbackOf(gateway *gatewayv1.Gateway, port string) (netip.AddrPort, bool) {
	entries := strings.Split(gateway.Annotations[routing.LoopbackAnnotation], ",")
	i := slices.IndexFunc(entries, func(e string) bool { return strings.HasPrefix(e, port+"=") })
	if i < 0 {
		return netip.AddrPort{}, false
	}
	at, err := netip.ParseAddrPort(entries[i][len(port)+1:])
	return at, err == nil && at.Addr().IsLoopback() // whoever may annotate shall not lead elsewhere
}
