package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// maxTold bounds what is read of an answer or a request, in bytes.
const maxTold = 4 << 20

// receive starts a receiver of webhooks, which writes each request to a file as
// a line, its type and signature first, and tells its URL as $WEBHOOK:
// receive FILE.
func receive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: receive FILE")
	}
	file, err := os.OpenFile(ts.MkAbs(args[0]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	var writing sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxTold))
		if err != nil {
			return
		}
		writing.Lock()
		defer writing.Unlock()
		fmt.Fprintf(file, "%s %s %s\n", r.Header.Get("Content-Type"), r.Header.Get("X-Signature"), bytes.TrimSpace(body))
	}))
	ts.Setenv("WEBHOOK", server.URL)
	ts.Defer(func() {
		server.Close()
		_ = file.Close()
	})
}

var metricsURL = regexp.MustCompile(`(?m)^metrics (http://\S+)$`)

// scrape reads the metrics whose address a program wrote to a file, until they
// match: scrape FILE REGEXP.
func scrape(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: scrape FILE REGEXP")
	}
	want, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	var text []byte
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(250 * time.Millisecond) {
		said, err := os.ReadFile(ts.MkAbs(args[0]))
		m := metricsURL.FindSubmatch(said)
		if err != nil || m == nil {
			continue // the program has not come that far
		}
		if text = fetch(string(m[1])); want.Match(text) {
			return
		}
	}
	ts.Fatalf("the metrics that %s names never matched %q within %s; the last were:\n%s", args[0], args[1], patience, text)
}

// fetch returns what a URL serves; nothing where it does not answer.
func fetch(url string) []byte {
	response, err := http.Get(url)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxTold))
	if err != nil {
		return nil
	}
	return text
}
