package webhook

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// got is a request as a receiver saw it.
type got struct{ body, kind, signature string }

// receiver answers requests with codes, one after another, the last for ever,
// and tells what it got.
func receiver(t *testing.T, codes ...int) (url string, requests <-chan got) {
	t.Helper()
	told, n := make(chan got, 1000), 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		code := codes[min(n, len(codes)-1)]
		n++
		if code == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(code)
		told <- got{string(body), r.Header.Get("Content-Type"), r.Header.Get(SignatureHeader)}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/token-in-the-path", told
}

// run runs a sender, and returns what failed.
func run(t *testing.T, o Options) (*Sender, <-chan error) {
	t.Helper()
	failed := make(chan error, 1000)
	o.Failed, o.FirstWait, o.ContentType = func(err error) { failed <- err }, time.Millisecond, "application/json"
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return s, failed
}

func await[T any](t *testing.T, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(time.Minute):
		t.Fatal("nothing came within a minute")
	}
	return v
}

func TestDeliversInOrderAndSigned(t *testing.T) {
	url, requests := receiver(t, 503, 429, 200)
	s, _ := run(t, Options{URL: url, Key: []byte("key")})
	s.Send([]byte("a"))
	s.Send([]byte("b"))
	signature := func(body string) string { return Sign([]byte("key"), []byte(body)) }
	want := []got{
		{"a", "application/json", signature("a")}, {"a", "application/json", signature("a")},
		{"a", "application/json", signature("a")}, {"b", "application/json", signature("b")},
	}
	var all []got
	for range want {
		all = append(all, await(t, requests))
	}
	if diff := cmp.Diff(want, all, cmp.AllowUnexported(got{})); diff != "" {
		t.Error(diff)
	}
	if s.Stats().Retried != 2 {
		t.Errorf("stats: %+v", s.Stats())
	}
}

func TestSignIsThatOfTheDocumentation(t *testing.T) {
	// RFC 4231 has no such short key; the value is openssl's.
	if got := Sign([]byte("key"), []byte("The quick brown fox jumps over the lazy dog")); got != "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8" {
		t.Error(got)
	}
}

func TestGivesUp(t *testing.T) {
	for code, want := range map[int]string{
		400: "answered 400 (1 tries)", 302: "answered 302 (1 tries)", 500: "answered 500 (3 tries)",
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			url, requests := receiver(t, code)
			s, failed := run(t, Options{URL: url, Tries: 3})
			s.Send([]byte("a"))
			err := await(t, failed)
			if !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "token") {
				t.Errorf("got %q, want %q", err, want)
			}
			await(t, requests)
			if stats := s.Stats(); stats.Failed != 1 {
				t.Errorf("stats: %+v", stats)
			}
		})
	}
}

func TestUnreachableReceiverIsNotNamedWhole(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	s, failed := run(t, Options{URL: server.URL + "/token-in-the-path", Tries: 2})
	s.Send([]byte("a"))
	if err := await(t, failed); strings.Contains(err.Error(), "token") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %q", err)
	}
}

func TestQueueIsBounded(t *testing.T) {
	s, err := New(Options{URL: "http://localhost", Queue: 2})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		s.Send([]byte(fmt.Sprint(n)))
	}
	if stats := s.Stats(); stats != (Stats{Dropped: 3, Waiting: 2}) {
		t.Errorf("stats: %+v", stats)
	}
	if body, _ := s.next(); string(body) != "3" {
		t.Errorf("the oldest that is left is %s", body)
	}
}

func TestURLs(t *testing.T) {
	for _, url := range []string{"", "host/path", "ftp://host", "https://", "http://h ost/secret"} {
		if _, err := New(Options{URL: url}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
