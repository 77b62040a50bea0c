package inputprovider

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// azure lists what a repository on Azure DevOps has.
type azure struct {
	*connection
	repository *url.URL // of the API
	header     http.Header
}

func openAzure(_ context.Context, c *connection) (forge, error) {
	parts := strings.Split(strings.Trim(c.url.Path, "/"), "/")
	if len(parts) != 4 || parts[2] != "_git" {
		return nil, fmt.Errorf("the URL %s does not name ORGANIZATION/PROJECT/_git/REPOSITORY", c.url.Redacted())
	}
	if c.secret == nil {
		return nil, errors.New("spec.secretRef must name a Secret with a personal access token: Hearth has no identity of a cloud to log in with")
	}
	token, err := c.password()
	if err != nil {
		return nil, err
	}
	a := &azure{connection: c, header: http.Header{}}
	a.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(":"+token)))
	base := &url.URL{Scheme: c.url.Scheme, Host: c.url.Host}
	a.repository = base.JoinPath(parts[0], parts[1], "_apis/git/repositories", parts[3])
	return a, nil
}

// answer is how Azure DevOps hands out lists.
type answer[T any] struct {
	Value []T `json:"value"`
}

func (a *azure) at(path string, query url.Values) *url.URL {
	u := a.repository.JoinPath(path)
	query.Set("api-version", "7.1")
	u.RawQuery = query.Encode()
	return u
}

type azureRef struct {
	Name     string `json:"name"`
	ObjectID string `json:"objectId"`
	// PeeledObjectID is the commit of an annotated tag.
	PeeledObjectID string `json:"peeledObjectId"`
}

// refs lists references below refs/, page after page.
func (a *azure) refs(ctx context.Context, kind string, each func(name, sha string) error) error {
	token := ""
	for range maxPages {
		query := url.Values{"filter": {kind + "/"}, "$top": {strconv.Itoa(pageSize)}, "peelTags": {"true"}}
		if token != "" {
			query.Set("continuationToken", token)
		}
		var list answer[azureRef]
		header, err := a.ask(ctx, http.MethodGet, a.at("refs", query), a.header, maxBody, &list)
		if err != nil {
			return err
		}
		for _, ref := range list.Value {
			sha := ref.ObjectID
			if ref.PeeledObjectID != "" {
				sha = ref.PeeledObjectID
			}
			if err := each(strings.TrimPrefix(ref.Name, "refs/"+kind+"/"), sha); err == errDone {
				return nil
			} else if err != nil {
				return err
			}
		}
		next := header.Get("x-ms-continuationtoken")
		if next == "" || next == token {
			return nil
		}
		token = next
	}
	return fmt.Errorf("there are more than %d pages", maxPages)
}

func (a *azure) branches(ctx context.Context, each func(found) error) error {
	return a.refs(ctx, "heads", func(name, sha string) error { return each(branchFound(name, sha)) })
}

func (a *azure) tags(ctx context.Context, each func(found) error) error {
	return a.refs(ctx, "tags", func(name, sha string) error { return each(tagFound(name, sha)) })
}

type azureRequest struct {
	ID     int64  `json:"pullRequestId"`
	Title  string `json:"title"`
	Source string `json:"sourceRefName"`
	Commit struct {
		ID string `json:"commitId"`
	} `json:"lastMergeSourceCommit"`
	By struct {
		Name string `json:"displayName"`
	} `json:"createdBy"`
	Labels []struct {
		Name string `json:"name"`
	} `json:"labels"`
}

func (a *azure) requests(ctx context.Context, each func(found) error) error {
	for page := range maxPages {
		query := url.Values{"searchCriteria.status": {"active"}, "$top": {strconv.Itoa(pageSize)}, "$skip": {strconv.Itoa(page * pageSize)}}
		var list answer[azureRequest]
		if _, err := a.ask(ctx, http.MethodGet, a.at("pullrequests", query), a.header, maxBody, &list); err != nil {
			return err
		}
		for _, r := range list.Value {
			one := found{ID: fmt.Sprint(r.ID), SHA: r.Commit.ID, Branch: strings.TrimPrefix(r.Source, "refs/heads/"), Title: r.Title, Author: r.By.Name}
			for _, label := range r.Labels {
				one.Labels = append(one.Labels, label.Name)
			}
			if err := each(one); err == errDone {
				return nil
			} else if err != nil {
				return err
			}
		}
		if len(list.Value) < pageSize {
			return nil
		}
	}
	return fmt.Errorf("there are more than %d pages", maxPages)
}

func (a *azure) environments(context.Context, *filter, func(found) error) error {
	return errors.New("environments not supported by Azure DevOps provider")
}
