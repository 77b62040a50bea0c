package bucket

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/minio/minio-go/v7"
)

// Bounds on what a server says and on what is fetched.
const (
	maxObjects     = 100_000
	maxObjectBytes = 256 << 20
	maxTotalBytes  = 1 << 30
	maxAnswer      = 16 << 20 // a page of a listing, an error
	maxMessage     = 500
)

// bounded cuts answers that are longer than anything that is asked for.
type bounded struct{ inner http.RoundTripper }

// RoundTrip is http.RoundTripper's.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	limit := int64(maxAnswer)
	if r.Method == http.MethodGet && response.StatusCode == http.StatusOK && r.URL.RawQuery == "" {
		limit = maxObjectBytes
	}
	response.Body = &limited{response.Body, limit}
	return response, nil
}

var errTooLong = errors.New("the server's answer is too long")

// limited fails where more comes than may.
type limited struct {
	io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, errTooLong
	}
	return n, err
}

// legible shortens what a server says, and leaves out the query of a URL and
// what does not belong into a line.
func legible(err error) error {
	var cited *url.Error
	if errors.As(err, &cited) {
		err = cited.Err
	}
	if response := minio.ToErrorResponse(err); response.Code != "" && response.Message == "" {
		return fmt.Errorf("the server answers %q", cut(response.Code))
	}
	if text := cut(err.Error()); text != err.Error() {
		return told{text, err}
	}
	return err
}

// told is an error with another text.
type told struct {
	text string
	err  error
}

func (t told) Error() string { return t.text }
func (t told) Unwrap() error { return t.err }

func cut(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	return text
}
