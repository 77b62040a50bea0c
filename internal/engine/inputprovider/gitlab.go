package inputprovider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// gitlab lists what a project on GitLab has.
type gitlab struct {
	*connection
	project string // of the API, with the path of the project escaped
	header  http.Header
}

func openGitLab(_ context.Context, c *connection) (forge, error) {
	path := strings.TrimSuffix(strings.Trim(c.url.Path, "/"), ".git")
	if path == "" {
		return nil, errors.New("the URL does not name a project")
	}
	g := &gitlab{connection: c, header: http.Header{}}
	g.project = (&url.URL{Scheme: c.url.Scheme, Host: c.url.Host}).String() + "/api/v4/projects/" + url.PathEscape(path)
	token, err := c.password()
	if err != nil {
		return nil, err
	}
	if token != "" {
		g.header.Set("Authorization", "Bearer "+token)
	}
	return g, nil
}

func (g *gitlab) at(path string, query url.Values) (*url.URL, error) {
	if query == nil {
		query = url.Values{}
	}
	if query.Get("per_page") == "" {
		query.Set("per_page", fmt.Sprint(pageSize))
	}
	return url.Parse(g.project + "/" + path + "?" + query.Encode())
}

type gitLabRef struct {
	Name   string `json:"name"`
	Commit struct {
		ID string `json:"id"`
	} `json:"commit"`
}

func (g *gitlab) refs(ctx context.Context, path string, make func(name, sha string) found, each func(found) error) error {
	u, err := g.at(path, nil)
	if err != nil {
		return err
	}
	return pages(ctx, g.connection, u, g.header, func(r gitLabRef) error {
		one := make(r.Name, r.Commit.ID)
		one.Slug = gitLabSlug(r.Name)
		return each(one)
	})
}

func (g *gitlab) branches(ctx context.Context, each func(found) error) error {
	return g.refs(ctx, "repository/branches", branchFound, each)
}

func (g *gitlab) tags(ctx context.Context, each func(found) error) error {
	return g.refs(ctx, "repository/tags", tagFound, each)
}

type mergeRequest struct {
	IID    int64  `json:"iid"`
	SHA    string `json:"sha"`
	Title  string `json:"title"`
	Branch string `json:"source_branch"`
	Author struct {
		Username string `json:"username"`
	} `json:"author"`
	Labels []string `json:"labels"`
}

func (g *gitlab) requests(ctx context.Context, each func(found) error) error {
	u, err := g.at("merge_requests", url.Values{"state": {"opened"}})
	if err != nil {
		return err
	}
	return pages(ctx, g.connection, u, g.header, func(m mergeRequest) error {
		return each(found{
			ID: fmt.Sprint(m.IID), SHA: m.SHA, Branch: m.Branch, Slug: gitLabSlug(m.Branch),
			Title: m.Title, Author: m.Author.Username, Labels: m.Labels,
		})
	})
}

type environment struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Slug  string `json:"slug"`
	State string `json:"state"`
}

type deployment struct {
	Status string `json:"status"`
	User   struct {
		Username string `json:"username"`
	} `json:"user"`
	Deployable struct {
		Ref    string `json:"ref"`
		Commit struct {
			ID string `json:"id"`
		} `json:"commit"`
	} `json:"deployable"`
}

func (g *gitlab) environments(ctx context.Context, f *filter, each func(found) error) error {
	u, err := g.at("environments", nil)
	if err != nil {
		return err
	}
	return pages(ctx, g.connection, u, g.header, func(e environment) error {
		if !f.admits(e.Name) {
			return nil // each one costs another request
		}
		d, err := g.deployed(ctx, e)
		if err != nil || d == nil {
			return err
		}
		return each(found{
			ID: fmt.Sprint(e.ID), SHA: d.Deployable.Commit.ID, Branch: d.Deployable.Ref,
			Title: e.Name, Slug: e.Slug, Author: d.User.Username,
		})
	})
}

// deployed returns the latest deployment of an environment that is under way,
// or that succeeded where the environment was not stopped since.
func (g *gitlab) deployed(ctx context.Context, e environment) (*deployment, error) {
	u, err := g.at("deployments", url.Values{"environment": {e.Name}, "order_by": {"created_at"}, "sort": {"desc"}, "per_page": {"20"}})
	if err != nil {
		return nil, err
	}
	var latest []deployment
	if _, err := g.ask(ctx, http.MethodGet, u, g.header, maxBody, &latest); err != nil {
		return nil, err
	}
	for i, d := range latest {
		if d.Status == "running" || e.State == "available" && d.Status == "success" {
			return &latest[i], nil
		}
	}
	return nil, nil
}

var notInGitLabSlugs = regexp.MustCompile(`[^a-z0-9-]`)

// gitLabSlug is how GitLab names a reference in CI_COMMIT_REF_SLUG.
func gitLabSlug(ref string) string {
	slug := notInGitLabSlugs.ReplaceAllString(strings.ToLower(ref), "-")
	return strings.Trim(slug[:min(len(slug), 63)], "-")
}
