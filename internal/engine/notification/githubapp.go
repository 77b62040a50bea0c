package notification

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"hearth/internal/source/githubapp"
)

// appToken logs in as the GitHub App of the Secret.
func (d *destination) appToken(ctx context.Context, api *url.URL) (string, error) {
	if len(d.secret[githubapp.IDKey]) == 0 {
		return "", permanent("the Provider's Secret holds neither a token nor the keys of a GitHub App")
	}
	login, err := githubapp.Read(d.secret, api)
	if err != nil {
		return "", permanentError{fmt.Errorf("the Provider's Secret: %w", err)}
	}
	token, err := d.tokens.Get(ctx, login, func(ctx context.Context, method string, u *url.URL, header map[string]string, into any) error {
		return d.do(ctx, call{method: method, url: u, header: header, into: into})
	})
	if errors.Is(err, githubapp.ErrMisconfigured) {
		return "", permanentError{err}
	}
	if err != nil {
		return "", err
	}
	d.hidden = append(d.hidden, token)
	return token, nil
}
