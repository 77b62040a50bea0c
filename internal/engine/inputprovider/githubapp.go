package inputprovider

import (
	"context"
	"net/http"
	"net/url"

	"hearth/internal/source/githubapp"
)

// gitHubToken returns the password of the Secret, or a token of the GitHub App
// that it describes, or "" without a Secret.
func (c *connection) gitHubToken(ctx context.Context, api *url.URL) (string, error) {
	if _, err := c.value(githubapp.IDKey); err != nil {
		return c.password()
	}
	login, err := githubapp.Read(c.secret, api)
	if err != nil {
		return "", err
	}
	return c.tokens.Get(ctx, login, func(ctx context.Context, method string, u *url.URL, header map[string]string, into any) error {
		all := http.Header{}
		for name, value := range header {
			all.Set(name, value)
		}
		_, err := c.ask(ctx, method, u, all, maxBody, into)
		return err
	})
}
