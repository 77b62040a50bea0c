package echo

import (
	"encoding/binary"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxMessage bounds what is read of a gRPC request, in bytes.
const maxMessage = 1 << 20

// echoService is the gRPC service whose message is known here: that of the
// Gateway API's conformance suite.
const echoService = "/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho/"

// serveGRPC answers a call with one message and the status OK.
func (p *Pod) serveGRPC(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxMessage))
	var message []byte
	if strings.HasPrefix(r.URL.Path, echoService) {
		message = p.assertions(r)
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
	w.WriteHeader(http.StatusOK)
	frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	_, _ = w.Write(append(frame, message...))
	w.Header().Set("Grpc-Status", "0")
	w.Header().Set("Grpc-Message", "")
}

// assertions is the message EchoResponse of the conformance suite.
func (p *Pod) assertions(r *http.Request) []byte {
	var pod, all []byte
	pod = text(pod, 1, p.Namespace)
	pod = text(pod, 4, p.Name)
	all = text(all, 1, r.URL.Path)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			all = nested(all, 2, text(text(nil, 1, strings.ToLower(name)), 2, value))
		}
	}
	all = text(all, 3, r.Host)
	all = nested(all, 4, pod)
	return nested(nil, 1, all)
}

func text(b []byte, field protowire.Number, value string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), value)
}

func nested(b []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), message)
}
