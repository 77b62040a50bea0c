package onepassword_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"hearth/internal/onepassword"
)

func TestServerRoutes(t *testing.T) {
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	tests := []struct {
		path, token string
		status      int
		body        string
	}{
		{"/heartbeat", "", 200, "."},
		{"/health", "", 200, `"1Password Connect API"`},
		{"/v1/vaults", "", 401, `{"status":401,"message":`},
		{"/v1/vaults", "Bearer x" + s.Token(), 401, `{"status":401,"message":`},
		{"/v1/vaults", s.Token(), 401, `{"status":401,"message":`},
		{"/v1/vaults", "Bearer " + s.Token(), 200, `"name":"Kubernetes"`},
		{"/v1/vaults?filter=name+eq+%22Other%22", "Bearer " + s.Token(), 200, `[{"id":"aaaaaaaaaaaaaaaaaaaaaaaaaa"`},
		{"/v1/vaults?filter=size+gt+1", "Bearer " + s.Token(), 400, `{"status":400,"message":`},
		{"/v1/vaults/../vaults", "Bearer " + s.Token(), 200, `"name":"Kubernetes"`},
		{"/v1/vaults/short", "Bearer " + s.Token(), 400, `"Invalid Vault UUID"`},
		{"/v1/vaults/aaaaaaaaaaaaaaaaaaaaaaaaaa/items?filter=tag+eq+%22none%22", "Bearer " + s.Token(), 200, "[]"},
		{"/v1/nothing", "Bearer " + s.Token(), 404, `{"status":404,"message":`},
		{"/elsewhere", "", 404, `{"status":404,"message":`},
		{"/metrics", "", 200, `op_connect_http_requests_total{route="GET /v1/vaults",status="401"} 3`},
	}
	for _, tt := range tests {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.token != "" {
			request.Header.Set("Authorization", tt.token)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != tt.status || !strings.Contains(string(body), tt.body) {
			t.Errorf("GET %s: status %d, %q, %v; want %d and %s", tt.path, response.StatusCode, body, err, tt.status, tt.body)
		}
	}
}

func TestServerListensOnLoopbackOnly(t *testing.T) {
	s, err := onepassword.NewServer(onepassword.ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:80"} {
		if _, _, err := s.Listen(t.Context(), address); err == nil {
			t.Errorf("it listens on %s", address)
		}
	}
}
