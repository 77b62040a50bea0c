package notification

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"

	"hearth/internal/source/githubapp"
)

// github is a repository on GitHub or GitHub Enterprise.
type github struct {
	api         *url.URL
	owner, name string
	header      map[string]string
}

type githubStatus struct {
	State       string `json:"state"`
	Context     string `json:"context"`
	Description string `json:"description"`
}

// github finds the repository, and logs in with a token or as a GitHub App.
func (d *destination) github(ctx context.Context) (*github, error) {
	forge, owner, name, err := ownedRepository(d.address)
	if err != nil {
		return nil, err
	}
	api := forge.JoinPath("api/v3")
	if forge.Hostname() == "github.com" {
		api = &url.URL{Scheme: forge.Scheme, Host: "api.github.com"}
	}
	token, err := d.needToken()
	if err != nil {
		if token, err = d.appToken(ctx, api); err != nil {
			return nil, err
		}
	}
	return &github{api: api, owner: owner, name: name, header: githubapp.Header(token)}, nil
}

// at returns the URL of something of the repository.
func (g *github) at(elements ...string) *url.URL {
	return g.api.JoinPath("repos", url.PathEscape(g.owner), url.PathEscape(g.name)).JoinPath(elements...)
}

func postGitHub(ctx context.Context, d *destination, event *eventv1.Event) error {
	s, err := d.statusOf(event, false)
	if err != nil || s == nil {
		return err
	}
	g, err := d.github(ctx)
	if err != nil {
		return err
	}
	status := githubStatus{State: "success", Context: s.id, Description: s.description}
	if s.failed {
		status.State = "failure"
	}
	return d.publish(s, func() (bool, error) {
		var list []githubStatus
		u := g.at("commits", s.commit, "statuses")
		u.RawQuery = "per_page=50"
		if err := d.do(ctx, call{method: http.MethodGet, url: u, header: g.header, into: &list}); err != nil {
			return false, fmt.Errorf("could not list commit statuses: %w", err)
		}
		return latestIs(list, status), nil
	}, func() error {
		err := d.do(ctx, call{method: http.MethodPost, url: g.at("statuses", s.commit), body: status, header: g.header})
		if err != nil {
			return fmt.Errorf("could not create commit status: %w", err)
		}
		return nil
	})
}

// latestIs reports whether the newest status of its name, the first of the
// list, is the one given.
func latestIs(list []githubStatus, status githubStatus) bool {
	for _, s := range list {
		if s.Context == status.Context {
			return s == status
		}
	}
	return false
}

type githubDispatch struct {
	EventType string          `json:"event_type"`
	Payload   json.RawMessage `json:"client_payload"`
}

// postGitHubDispatch starts the workflows that wait for a repository_dispatch.
func postGitHubDispatch(ctx context.Context, d *destination, event *eventv1.Event) error {
	g, err := d.github(ctx)
	if err != nil {
		return err
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return permanent("marshalling the event failed: %w", err)
	}
	obj := event.InvolvedObject
	body := githubDispatch{EventType: fmt.Sprintf("%s/%s.%s", obj.Kind, obj.Name, obj.Namespace), Payload: payload}
	if err := d.do(ctx, call{method: http.MethodPost, url: g.at("dispatches"), body: body, header: g.header}); err != nil {
		return fmt.Errorf("could not send github repository dispatch webhook: %w", err)
	}
	return nil
}
