package foreign

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"hearth/internal/source/guard"
)

const (
	maxBytes = 512 << 20
	maxHops  = 5
)

// get writes what a URL answers into a new file, and reports content whose
// digest is another.
func get(ctx context.Context, address, digest, file string) error {
	sum, want, err := hashOf(digest)
	if err != nil {
		return err
	}
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return errors.New("its URL is neither http nor https")
	}
	transport := guard.New(at, false).Transport(nil, nil)
	transport.DisableCompression = true // the digest is of the packed content
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: follow}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("its URL cannot be asked for")
	}
	response, err := client.Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	if err := write(file, io.TeeReader(response.Body, sum)); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("its digest is %s, and not the one that its object names, %s", got, want)
	}
	return nil
}

func follow(_ *http.Request, via []*http.Request) error {
	if len(via) > maxHops {
		return fmt.Errorf("the server redirects more than %d times", maxHops)
	}
	return nil
}

func write(name string, content io.Reader) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	size, err := io.Copy(file, io.LimitReader(content, maxBytes+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if size > maxBytes {
		return fmt.Errorf("it is larger than %d MiB", maxBytes>>20)
	}
	return nil
}

var digestForm = regexp.MustCompile(`^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$`)

// hashOf returns what a digest is computed with, and what must come out.
func hashOf(digest string) (hash.Hash, string, error) {
	if !digestForm.MatchString(digest) {
		return nil, "", errors.New("its object names no sha256, sha384 or sha512 digest to hold it against")
	}
	algorithm, want, _ := strings.Cut(digest, ":")
	switch algorithm {
	case "sha384":
		return sha512.New384(), want, nil
	case "sha512":
		return sha512.New(), want, nil
	}
	return sha256.New(), want, nil
}

// withoutURL leaves out the URL that the library cites, with what is in it.
func withoutURL(err error) error {
	var cited *url.Error
	if errors.As(err, &cited) {
		return cited.Err
	}
	return err
}

// legible is a URL without what may be secret in it.
func legible(address string) string {
	at, err := url.Parse(address)
	if err != nil {
		return "of a URL that cannot be read"
	}
	at.User, at.RawQuery, at.Fragment = nil, "", ""
	return at.String()
}
