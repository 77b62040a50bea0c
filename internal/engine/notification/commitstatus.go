package notification

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/cel-go/cel"

	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	"github.com/fluxcd/pkg/apis/meta"
	fluxcel "github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/runtime"
)

// maxDescription bounds a status' description, in bytes, as GitHub does.
const maxDescription = 140

// maxStatusID bounds what a status is called, in bytes.
const maxStatusID = 255

// commitStatus is what a forge shows beside a commit.
type commitStatus struct {
	commit, id, description string
	failed, pending         bool
}

// statusOf makes a status of an event. It is nil for an event that says no
// more than that a reconcile goes on, unless the forge shows that, too.
func (d *destination) statusOf(event *eventv1.Event, showsPending bool) (*commitStatus, error) {
	pending := event.HasReason(meta.ProgressingReason)
	if pending && !showsPending {
		return nil, nil
	}
	commit, err := commitOf(event)
	if err != nil {
		return nil, err
	}
	return &commitStatus{
		commit: commit, id: d.statusID, pending: pending,
		description: shorten(words(event.Reason), maxDescription),
		failed:      event.Severity == eventv1.EventSeverityError,
	}, nil
}

// statusID returns what a forge's Provider calls the status of an event: by
// its expression, or else KIND/NAME/ID in small letters, where ID begins the
// Provider's UID and so tells clusters apart.
func statusID(ctx context.Context, provider *notificationv1beta3.Provider, alert *notificationv1beta3.Alert, event *eventv1.Event) (string, error) {
	if !isForge(provider.Spec.Type) {
		return "", nil
	}
	if provider.Spec.CommitStatusExpr == "" {
		uid, _, _ := strings.Cut(string(provider.UID), "-")
		obj := event.InvolvedObject
		return strings.ToLower(obj.Kind + "/" + obj.Name + "/" + uid), nil
	}
	expression, err := statusExpression(provider.Spec.CommitStatusExpr)
	if err != nil {
		return "", permanent("spec.commitStatusExpr of Provider %s does not compile: %w", provider.Name, err)
	}
	variables := map[string]any{}
	for name, value := range map[string]any{"event": event, "alert": alert, "provider": provider} {
		if variables[name], err = runtime.DefaultUnstructuredConverter.ToUnstructured(value); err != nil {
			return "", permanent("evaluating spec.commitStatusExpr of Provider %s: %w", provider.Name, err)
		}
	}
	id, err := expression.EvaluateString(ctx, variables)
	if err != nil {
		return "", permanent("evaluating spec.commitStatusExpr of Provider %s: %w", provider.Name, err)
	}
	if id == "" || len(id) > maxStatusID {
		return "", permanent("spec.commitStatusExpr of Provider %s yields %d bytes, not 1 to %d", provider.Name, len(id), maxStatusID)
	}
	return id, nil
}

// statusExpression compiles what names a status.
func statusExpression(source string) (*fluxcel.Expression, error) {
	return fluxcel.NewExpression(source, fluxcel.WithCompile(), fluxcel.WithOutputType(cel.StringType),
		fluxcel.WithStructVariables("event", "alert", "provider"))
}

// words writes a reason such as ReconciliationSucceeded as words.
func words(reason string) string {
	var out strings.Builder
	runes := []rune(reason)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			out.WriteByte(' ')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

// shown is what a forge shows under one name beside one commit.
type shown struct {
	provider, commit, id string
}

// posted remembers which status was sent last, so that the same one is not
// sent again within a while. Its methods may be called concurrently.
type posted struct {
	window time.Duration
	mu     sync.Mutex
	last   map[shown]postedStatus
}

type postedStatus struct {
	commitStatus
	at time.Time
}

func newPosted(window time.Duration) *posted {
	return &posted{window: window, last: map[shown]postedStatus{}}
}

// isLast reports whether a status is what was sent last.
func (p *posted) isLast(provider string, s commitStatus) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, ok := p.last[shown{provider, s.commit, s.id}]
	return ok && last.commitStatus == s && time.Since(last.at) < p.window
}

// note remembers a status that was sent, or that the forge shows already.
func (p *posted) note(provider string, s commitStatus) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.last) >= maxRemembered {
		clear(p.last) // the forges are asked again
	}
	p.last[shown{provider, s.commit, s.id}] = postedStatus{s, time.Now()}
}

// publish sends a status unless it is what the forge shows already.
func (d *destination) publish(s *commitStatus, isShown func() (bool, error), send func() error) error {
	if s == nil || d.posted.isLast(d.uid, *s) {
		return nil
	}
	there, err := isShown()
	if err != nil {
		return err
	}
	if !there {
		if err := send(); err != nil {
			return err
		}
	}
	d.posted.note(d.uid, *s)
	return nil
}
