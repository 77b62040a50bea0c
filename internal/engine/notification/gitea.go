package notification

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
)

// giteaStatus is a status that Gitea and Forgejo show.
type giteaStatus struct {
	State       string `json:"status"`
	Context     string `json:"context"`
	Description string `json:"description"`
}

type newGiteaStatus struct {
	State       string `json:"state"`
	TargetURL   string `json:"target_url"`
	Context     string `json:"context"`
	Description string `json:"description"`
}

func postGitea(ctx context.Context, d *destination, event *eventv1.Event) error {
	s, err := d.statusOf(event, true)
	if err != nil {
		return err
	}
	forge, owner, name, err := ownedRepository(d.address)
	if err != nil {
		return err
	}
	token, err := d.needToken()
	if err != nil {
		return err
	}
	repository := forge.JoinPath("api/v1/repos", url.PathEscape(owner), url.PathEscape(name))
	header := map[string]string{"Authorization": "token " + token}
	wanted := giteaStatus{State: giteaState(s), Context: s.id, Description: s.description}
	return d.publish(s, func() (bool, error) {
		var list []giteaStatus
		u := repository.JoinPath("commits", s.commit, "statuses")
		u.RawQuery = "limit=50&sort=recentupdate"
		if err := d.do(ctx, call{method: http.MethodGet, url: u, header: header, into: &list}); err != nil {
			return false, fmt.Errorf("could not list commit statuses: %w", err)
		}
		for _, status := range list {
			if status.Context == s.id {
				return status == wanted, nil
			}
		}
		return false, nil
	}, func() error {
		err := d.do(ctx, call{
			method: http.MethodPost, url: repository.JoinPath("statuses", s.commit), header: header,
			body: newGiteaStatus{State: wanted.State, Context: s.id, Description: s.description},
		})
		if err != nil {
			return fmt.Errorf("could not create commit status: %w", err)
		}
		return nil
	})
}

func giteaState(s *commitStatus) string {
	switch {
	case s.pending:
		return "pending"
	case s.failed:
		return "failure"
	}
	return "success"
}
