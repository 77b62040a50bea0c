package onepassword_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/onepassword"
)

// newClient returns a patient client, and impatient one that gives up at once.
func newClient(t testing.TB, url, token string, vaults ...string) *onepassword.Client {
	t.Helper()
	return clientWith(t, url, token, time.Minute, vaults)
}

func impatient(t *testing.T, url, token string, vaults ...string) *onepassword.Client {
	t.Helper()
	return clientWith(t, url, token, 100*time.Millisecond, vaults)
}

func clientWith(t testing.TB, url, token string, timeout time.Duration, vaults []string) *onepassword.Client {
	t.Helper()
	order := map[string]int{}
	for i, v := range vaults {
		order[v] = i
	}
	c := onepassword.NewClient(onepassword.ClientOptions{URL: url, Token: token, Vaults: order, Timeout: timeout})
	t.Cleanup(c.Close)
	return c
}

func TestClientItem(t *testing.T) {
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	c := newClient(t, url, s.Token(), "Other", "Kubernetes")
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for title, want := range map[string]string{"immich": "c4n4ry-other", "only here": "", "bbbbbbbbbbbbbbbbbbbbbbbbbb": "", "kubeconfig": ""} {
		item, err := c.Item(t.Context(), title, time.Now())
		if err != nil {
			t.Errorf("%s: %v", title, err)
			continue
		}
		if want == "" {
			continue
		}
		if f, err := item.Lookup("username"); err != nil || f.Value.Reveal() != want {
			t.Errorf("%s: not from the first vault of the order, %v", title, err)
		}
	}
	doc, err := c.Item(t.Context(), "kubeconfig", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	file, err := doc.LookupFile("")
	if err != nil || !doc.IsFile("") {
		t.Fatal(err)
	}
	if content, err := c.Content(t.Context(), doc, file); err != nil || content.Reveal() != "c4n4ry-file" {
		t.Errorf("content: %v", err)
	}
	list, err := c.List(t.Context(), time.Now())
	if err != nil || len(list) != 6 || list[0].Title != "immich" {
		t.Fatalf("%d items, %v", len(list), err)
	}
	if full, err := c.Full(t.Context(), list[0], time.Now()); err != nil || len(full.Fields) != 1 {
		t.Errorf("in full: %v", err)
	}
}

func TestClientErrors(t *testing.T) {
	s, url := serve(t, onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>" + canary)) }))
	defer html.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		w.Write([]byte(canary))
	}))
	defer broken.Close()
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	defer close(release)
	item := func(c *onepassword.Client, title, field string) error {
		i, err := c.Item(t.Context(), title, time.Now())
		if err == nil {
			_, err = i.Lookup(field)
		}
		return err
	}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"no item", item(newClient(t, url, s.Token(), "Kubernetes"), "none", ""), `no item "none" in vault(s) Kubernetes`},
		{"no item anywhere", item(newClient(t, url, s.Token(), "Kubernetes", "Other"), "none", ""), `no item "none" in vault(s) Kubernetes, Other`},
		{"no field", item(newClient(t, url, s.Token(), "Kubernetes"), "immich", "NOPE"), `1Password item "immich" has no field NOPE`},
		{"no password", item(newClient(t, url, s.Token(), "Kubernetes"), "immich", ""), `1Password item "immich" has no field password`},
		{"two items", item(newClient(t, url, s.Token(), "Kubernetes"), "twice", "a"), `there are 2 items titled "twice" in vault Kubernetes`},
		{"no vault", newClient(t, url, s.Token(), "Nope").Check(t.Context()), `1Password Connect has no vault "Nope"`},
		{"no vaults", newClient(t, url, s.Token()).Check(t.Context()), "the store names no vaults"},
		{"token", newClient(t, url, canary, "Kubernetes").Check(t.Context()), "refuses the token"},
		{"down", newClient(t, "http://127.0.0.1:1", canary, "Kubernetes").Check(t.Context()), "1Password Connect at http://127.0.0.1:1 is unreachable: "},
		{"slow", impatient(t, slow.URL, canary, "Kubernetes").Check(t.Context()), "is unreachable: "},
		{"HTML", newClient(t, html.URL, canary, "Kubernetes").Check(t.Context()), "the answer is not the JSON of a Connect server"},
		{"status", newClient(t, broken.URL, canary, "Kubernetes").Check(t.Context()), "answered with status 418"},
		{"no URL", newClient(t, "http://[", canary, "Kubernetes").Check(t.Context()), "is no URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) || strings.Contains(tt.err.Error(), canary) {
				t.Errorf("got %v, want %q", tt.err, tt.want)
			}
		})
	}
}

func TestClientTriesAgain(t *testing.T) {
	s, err := onepassword.NewServer(onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int32
	flaky := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) {
		case 1:
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.WriteHeader(http.StatusBadGateway)
		default:
			s.ServeHTTP(w, r)
		}
	}))
	defer flaky.Close()
	if err := newClient(t, flaky.URL, s.Token(), "Kubernetes").Check(t.Context()); err != nil || n.Load() != 3 {
		t.Errorf("%d tries, %v", n.Load(), err)
	}
	always := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer always.Close()
	n.Store(0)
	var answered *onepassword.ResponseError
	if err := newClient(t, always.URL, s.Token(), "Kubernetes").Check(t.Context()); !errors.As(err, &answered) || n.Load() != 3 {
		t.Errorf("%d tries, %v", n.Load(), err)
	}
}

func TestClientAsksOnceARound(t *testing.T) {
	s, err := onepassword.NewServer(onepassword.ServerOptions{File: writeVault(t, vaultFile)})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	got := map[string]int{}
	counting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got[strings.TrimLeft(r.URL.Path, "/")]++
		mu.Unlock()
		s.ServeHTTP(w, r)
	}))
	defer counting.Close()
	c := newClient(t, counting.URL, s.Token(), "Other")
	round := func(since time.Time) {
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				if _, err := c.Item(t.Context(), "immich", since); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	const list = "v1/vaults/aaaaaaaaaaaaaaaaaaaaaaaaaa/items"
	start := time.Now()
	round(start)
	round(start)
	if got[list] != 1 || got["v1/vaults"] != 1 || len(got) != 3 {
		t.Errorf("first round: %v", got)
	}
	round(time.Now())
	if diff := cmp.Diff(2, got[list]); diff != "" {
		t.Errorf("second round: %s", diff)
	}
}
