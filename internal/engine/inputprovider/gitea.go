package inputprovider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// gitea lists what a repository on Gitea or Forgejo has.
type gitea struct {
	*connection
	repository *url.URL // of the API
	header     http.Header
}

func openGitea(_ context.Context, c *connection) (forge, error) {
	owner, name, err := ownerAndName(c.url)
	if err != nil {
		return nil, err
	}
	g := &gitea{connection: c, header: http.Header{}}
	g.repository = (&url.URL{Scheme: c.url.Scheme, Host: c.url.Host, Path: "/api/v1/repos"}).JoinPath(owner, name)
	token, err := c.password()
	if err != nil {
		return nil, err
	}
	if token != "" {
		g.header.Set("Authorization", "token "+token)
	}
	return g, nil
}

func (g *gitea) at(path string, more url.Values) *url.URL {
	u := g.repository.JoinPath(path)
	query := url.Values{"limit": {fmt.Sprint(pageSize)}}
	for name, values := range more {
		query[name] = values
	}
	u.RawQuery = query.Encode()
	return u
}

type giteaBranch struct {
	Name   string `json:"name"`
	Commit struct {
		ID string `json:"id"`
	} `json:"commit"`
}

func (g *gitea) branches(ctx context.Context, each func(found) error) error {
	return pages(ctx, g.connection, g.at("branches", nil), g.header, func(b giteaBranch) error { return each(branchFound(b.Name, b.Commit.ID)) })
}

func (g *gitea) tags(ctx context.Context, each func(found) error) error {
	return pages(ctx, g.connection, g.at("tags", nil), g.header, func(t gitHubRef) error { return each(tagFound(t.Name, t.Commit.SHA)) })
}

func (g *gitea) requests(ctx context.Context, each func(found) error) error {
	return pages(ctx, g.connection, g.at("pulls", url.Values{"state": {"open"}}), g.header, func(p pullRequest) error { return each(p.found()) })
}

func (g *gitea) environments(context.Context, *filter, func(found) error) error {
	return errors.New("environments not supported by Gitea provider")
}
