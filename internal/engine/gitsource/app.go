package gitsource

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"

	"hearth/internal/source/git"
	"hearth/internal/source/githubapp"
	"hearth/internal/source/guard"
)

const (
	githubTimeout = 30 * time.Second
	// maxAnswer bounds what is read of an answer of GitHub's, in bytes.
	maxAnswer = 1 << 20
)

// githubAPI is asked where the Secret names no GitHub of its own.
var githubAPI = &url.URL{Scheme: "https", Host: "api.github.com"}

// signInAsApp gets a token for the GitHub App that a Secret holds.
func (a *attempt) signInAsApp(ctx context.Context, remote *git.Remote, data map[string][]byte) error {
	refused := func(err error) error {
		return &failure{reason: sourcev1.AuthenticationFailedReason, err: fmt.Errorf("failed to configure authentication options: %w", err)}
	}
	login, err := githubapp.Read(data, githubAPI)
	if err != nil {
		return refused(err)
	}
	ctx, cancel := context.WithTimeout(ctx, githubTimeout)
	defer cancel()
	token, err := a.apps.Get(ctx, login, func(ctx context.Context, method string, u *url.URL, header map[string]string, into any) error {
		return askGitHub(ctx, remote, method, u, header, into)
	})
	if err != nil {
		return refused(err)
	}
	remote.Credentials.Username, remote.Credentials.Password = githubapp.Username, token
	return nil
}

// askGitHub makes one request. What GitHub answers to a refused one is not
// told, since it may repeat what was sent.
func askGitHub(ctx context.Context, remote *git.Remote, method string, u *url.URL, header map[string]string, into any) error {
	trust, err := remote.Credentials.TLS()
	if err != nil {
		return err
	}
	transport := guard.New(u, remote.RefusePrivate).Transport(trust, remote.Proxy)
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return err
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("GitHub answers %s", response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("GitHub's answer is no JSON of the expected form")
	}
	return nil
}
