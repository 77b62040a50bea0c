package notification

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
)

type gitlabStatus struct {
	SHA         string `json:"sha"`
	Name        string `json:"name"`
	Status      string `json:"status"`
	Description string `json:"description"`
}

type newGitlabStatus struct {
	State       string `json:"state"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

func postGitLab(ctx context.Context, d *destination, event *eventv1.Event) error {
	s, err := d.statusOf(event, false)
	if err != nil || s == nil {
		return err
	}
	forge, path, err := repositoryOf(d.address)
	if err != nil {
		return err
	}
	token, err := d.needToken()
	if err != nil {
		return err
	}
	project := forge.JoinPath("api/v4/projects", url.PathEscape(path))
	header := map[string]string{"PRIVATE-TOKEN": token}
	wanted := gitlabStatus{SHA: s.commit, Name: s.id, Status: "success", Description: s.description}
	if s.failed {
		wanted.Status = "failed"
	}
	return d.publish(s, func() (bool, error) {
		var list []gitlabStatus
		u := project.JoinPath("repository/commits", s.commit, "statuses")
		u.RawQuery = url.Values{"name": {s.id}}.Encode()
		if err := d.do(ctx, call{method: http.MethodGet, url: u, header: header, into: &list}); err != nil {
			return false, fmt.Errorf("unable to list commit status: %w", err)
		}
		for _, status := range list {
			if status == wanted {
				return true, nil
			}
		}
		return false, nil
	}, func() error {
		err := d.do(ctx, call{
			method: http.MethodPost, url: project.JoinPath("statuses", s.commit), header: header,
			body: newGitlabStatus{State: wanted.Status, Name: s.id, Description: s.description},
		})
		if err != nil {
			return fmt.Errorf("could not create commit status: %w", err)
		}
		return nil
	})
}
