package notification

import (
	"context"
	"slices"
	"strings"

	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
)

// poster sends an event, its metadata combined, to a destination.
type poster func(ctx context.Context, d *destination, event *eventv1.Event) error

// posters are the kinds of Providers that Hearth sends to.
var posters = map[string]poster{
	notificationv1beta3.GenericProvider:        postGeneric,
	notificationv1beta3.GenericHMACProvider:    postSigned,
	notificationv1beta3.SlackProvider:          postSlack,
	notificationv1beta3.DiscordProvider:        postDiscord,
	notificationv1beta3.RocketProvider:         postRocket,
	notificationv1beta3.Matrix:                 postMatrix,
	notificationv1beta3.AlertManagerProvider:   postAlertmanager,
	notificationv1beta3.GitHubProvider:         postGitHub,
	notificationv1beta3.GitHubDispatchProvider: postGitHubDispatch,
	notificationv1beta3.GitLabProvider:         postGitLab,
	notificationv1beta3.GiteaProvider:          postGitea,
}

// kindOf returns what sends to a kind of Provider.
func kindOf(kind string) (poster, error) {
	if post, ok := posters[kind]; ok {
		return post, nil
	}
	known := make([]string, 0, len(posters))
	for name := range posters {
		known = append(known, name)
	}
	slices.Sort(known)
	return nil, permanent("Providers of the type %q are not served: use one of %s", kind, strings.Join(known, ", "))
}

// isForge reports whether a kind of Provider shows the status of commits.
func isForge(kind string) bool {
	switch kind {
	case notificationv1beta3.GitHubProvider, notificationv1beta3.GitLabProvider, notificationv1beta3.GiteaProvider,
		notificationv1beta3.BitbucketServerProvider, notificationv1beta3.BitbucketProvider, notificationv1beta3.AzureDevOpsProvider:
		return true
	}
	return false
}
