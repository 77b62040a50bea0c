package inputprovider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// github lists what a repository on GitHub, or a GitHub Enterprise Server, has.
type github struct {
	*connection
	repository *url.URL // of the API
	header     http.Header
}

func openGitHub(ctx context.Context, c *connection) (forge, error) {
	owner, name, err := ownerAndName(c.url)
	if err != nil {
		return nil, err
	}
	api := &url.URL{Scheme: c.url.Scheme, Host: c.url.Host, Path: "/api/v3"}
	if strings.EqualFold(c.url.Host, "github.com") {
		api = &url.URL{Scheme: "https", Host: "api.github.com"}
	}
	g := &github{connection: c, repository: api.JoinPath("repos", owner, name), header: http.Header{}}
	token, err := c.gitHubToken(ctx, api)
	if err != nil {
		return nil, err
	}
	if token != "" {
		g.header.Set("Authorization", "Bearer "+token)
	}
	return g, nil
}

// ownerAndName reads OWNER/NAME from the path of a URL.
func ownerAndName(u *url.URL) (owner, name string, err error) {
	owner, name, ok := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if name = strings.TrimSuffix(name, ".git"); !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return "", "", fmt.Errorf("the URL %s does not name owner and repository", u.Redacted())
	}
	return owner, name, nil
}

// password returns the password of a Secret with username and password, or ""
// without a Secret.
func (c *connection) password() (string, error) {
	if c.secret == nil {
		return "", nil
	}
	if _, err := c.value("username"); err != nil {
		return "", err
	}
	return c.value("password")
}

func (g *github) at(path ...string) *url.URL {
	u := g.repository.JoinPath(path...)
	u.RawQuery = url.Values{"per_page": {fmt.Sprint(pageSize)}}.Encode()
	return u
}

type gitHubRef struct {
	Name   string `json:"name"`
	Commit struct {
		SHA string `json:"sha"`
	} `json:"commit"`
}

func (g *github) branches(ctx context.Context, each func(found) error) error {
	return pages(ctx, g.connection, g.at("branches"), g.header, func(b gitHubRef) error { return each(branchFound(b.Name, b.Commit.SHA)) })
}

func (g *github) tags(ctx context.Context, each func(found) error) error {
	return pages(ctx, g.connection, g.at("tags"), g.header, func(t gitHubRef) error { return each(tagFound(t.Name, t.Commit.SHA)) })
}

// pullRequest is a request as GitHub and Gitea describe it.
type pullRequest struct {
	Number int64  `json:"number"`
	Title  string `json:"title"`
	Head   struct {
		Ref string `json:"ref"`
		SHA string `json:"sha"`
	} `json:"head"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
	Labels []struct {
		Name string `json:"name"`
	} `json:"labels"`
}

func (p pullRequest) found() found {
	one := found{ID: fmt.Sprint(p.Number), SHA: p.Head.SHA, Branch: p.Head.Ref, Title: p.Title, Author: p.User.Login}
	for _, label := range p.Labels {
		one.Labels = append(one.Labels, label.Name)
	}
	return one
}

func (g *github) requests(ctx context.Context, each func(found) error) error {
	u := g.at("pulls")
	u.RawQuery += "&state=open"
	return pages(ctx, g.connection, u, g.header, func(p pullRequest) error { return each(p.found()) })
}

func (g *github) environments(context.Context, *filter, func(found) error) error {
	return errors.New("environments not supported by GitHub provider")
}
