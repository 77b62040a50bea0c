package notification

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Reasons of the events about Alerts and Providers; all but the withheld one
// are Flux's.
const (
	reasonFailed   = "NotificationDispatchFailed"
	reasonConflict = "MetadataAppendFailed"
	reasonInvalid  = "InvalidConfig"
	reasonWithheld = "NotificationWithheld"
)

const (
	// attempts is how often a message is tried.
	attempts = 6
	// longestWait caps the back-off between two tries.
	longestWait = 30 * time.Second
	// longestTimeout caps what spec.timeout may ask for.
	longestTimeout = 5 * time.Minute
)

// permanentError is a failure that trying again does not mend.
type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

func permanent(format string, args ...any) error { return permanentError{fmt.Errorf(format, args...)} }

// laterError is a refusal with the wait that the other side asks for.
type laterError struct {
	error
	wait time.Duration
}

func (e laterError) Unwrap() error { return e.error }

// deliver tries a message until it is sent, refused for good, or tried often
// enough; then an event on the Alert says why it was not sent.
func (q *queue) deliver(ctx context.Context, m *message) {
	defer q.backoff.Forget(m)
	for try := 1; ; try++ {
		alert, err := q.attempt(ctx, m)
		if err == nil || ctx.Err() != nil {
			return
		}
		var final permanentError
		if errors.As(err, &final) || try == attempts {
			if alert != nil {
				q.tell(alert, corev1.EventTypeWarning, reasonFailed, "failed to send notification for %s: %s", subject(m.event), err)
			}
			return
		}
		wait := q.backoff.Next(m, longestWait)
		var later laterError
		if errors.As(err, &later) {
			wait = min(max(wait, later.wait), longestWait)
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// attempt tries a message once, with the Alert, Provider and Secrets as they
// are now. The Alert returned is nil once it is gone.
func (q *queue) attempt(ctx context.Context, m *message) (*notificationv1beta3.Alert, error) {
	var alert notificationv1beta3.Alert
	if err := q.client.Get(ctx, m.alert, &alert); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	var provider notificationv1beta3.Provider
	key := client.ObjectKey{Namespace: alert.Namespace, Name: alert.Spec.ProviderRef.Name}
	if err := q.client.Get(ctx, key, &provider); err != nil {
		return &alert, fmt.Errorf("failed to read provider: %w", err)
	}
	if alert.Spec.Suspend || provider.Spec.Suspend || !concerns(provider.Spec.Type, m.event) {
		return &alert, nil
	}
	event := m.event.DeepCopy()
	conflicts := combine(event, &alert)
	build, err := kindOf(provider.Spec.Type)
	if err != nil {
		return &alert, err
	}
	if !q.o.Deliver {
		q.tell(&alert, corev1.EventTypeNormal, reasonWithheld, "would be sent to Provider %s (%s): %s %s %s: %s",
			provider.Name, provider.Spec.Type, event.Severity, subject(event), event.Reason, shorten(event.Message, 512))
		return &alert, nil
	}
	if err := q.send(ctx, build, &provider, &alert, event); err != nil {
		return &alert, err
	}
	if len(conflicts) > 0 {
		q.tell(&alert, corev1.EventTypeWarning, reasonConflict, "metadata key conflicts detected: %s", strings.Join(conflicts, ", "))
	}
	return &alert, nil
}

// send posts one event, within the Provider's timeout and the bound on
// deliveries under way. Its error holds nothing of the Provider's Secrets.
func (q *queue) send(ctx context.Context, build poster, provider *notificationv1beta3.Provider, alert *notificationv1beta3.Alert, event *eventv1.Event) error {
	select {
	case q.slots <- struct{}{}:
		defer func() { <-q.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, min(provider.GetTimeout(), longestTimeout))
	defer cancel()
	d, err := q.destination(ctx, provider)
	if err != nil {
		return err
	}
	defer d.close()
	if d.statusID, err = statusID(ctx, provider, alert, event); err != nil {
		return err
	}
	return d.hide(build(ctx, d, event))
}

// concerns reports whether a kind of Provider is told of an event: success on
// a commit concerns forges and generic webhooks only, and forges want nothing
// but that, failures, and events about a commit.
func concerns(kind string, event *eventv1.Event) bool {
	update := event.Metadata[objectPrefix(event)+eventv1.MetaCommitStatusKey] == eventv1.MetaCommitStatusUpdateValue
	if !isForge(kind) {
		return !update || kind == notificationv1beta3.GenericProvider || kind == notificationv1beta3.GenericHMACProvider
	}
	return update || event.Severity == eventv1.EventSeverityError || event.Metadata[eventv1.Group+"/"+eventv1.MetaCommitKey] != ""
}

// sleep waits, and reports whether ctx lasted longer.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
