package echo

import (
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	pb "sigs.k8s.io/gateway-api/conformance/echo-basic/grpcechoserver"
)

var pod = &Pod{Namespace: "apps", Name: "web-0", Port: 8080}

// The form is that of the Gateway API's echo-basic.
func TestJSON(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "http://a.example.org/x?y=1", strings.NewReader("z"))
	r.Header.Set("X-Echo-Set-Header", "x-One:1, x-One:2,X-Two:3")
	w := httptest.NewRecorder()
	pod.ServeHTTP(w, r)
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{
		"path": "http://a.example.org/x?y=1", "host": "a.example.org", "method": "POST", "proto": "HTTP/1.1",
		"httpPort": "8080", "namespace": "apps", "pod": "web-0", "service": "", "ingress": "",
	} {
		if got[field] != want {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
	if h := w.Header(); h["x-One"][0] != "1,2" || h["X-Two"][0] != "3" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers are %v", h)
	}
}

// The message is read by the suite's own types.
func TestGRPC(t *testing.T) {
	path := "/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho/Echo"
	r := httptest.NewRequest(http.MethodPost, "http://a.example.org"+path, http.NoBody)
	r.Header.Set("Content-Type", "application/grpc")
	r.Header.Set("X-Test", "1")
	w := httptest.NewRecorder()
	pod.ServeHTTP(w, r)
	frame := w.Body.Bytes()
	if len(frame) < 5 || frame[0] != 0 || int(binary.BigEndian.Uint32(frame[1:5])) != len(frame)-5 {
		t.Fatalf("%x is no frame", frame)
	}
	var got pb.EchoResponse
	if err := proto.Unmarshal(frame[5:], &got); err != nil {
		t.Fatal(err)
	}
	a := got.GetAssertions()
	if a.GetFullyQualifiedMethod() != path || a.GetAuthority() != "a.example.org" || a.GetContext().GetNamespace() != "apps" || a.GetContext().GetPod() != "web-0" {
		t.Errorf("the message is %v", a)
	}
	if status := w.Result().Trailer.Get("Grpc-Status"); status != "0" {
		t.Errorf("the status is %q", status)
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add("a:b,c:d")
	f.Add(",,:")
	f.Fuzz(func(_ *testing.T, text string) {
		setAsked(http.Header{}, http.Header{"X-Echo-Set-Header": {text}})
	})
}
