package notification

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
)

// slackAPI is the one address of Slack that answers failures with status 200.
const slackAPI = "https://slack.com/api/chat.postMessage"

type slackMessage struct {
	Channel     string            `json:"channel,omitempty"`
	Username    string            `json:"username"`
	IconURL     string            `json:"icon_url"`
	IconEmoji   string            `json:"icon_emoji"`
	Attachments []slackAttachment `json:"attachments"`
}

type slackAttachment struct {
	Fallback   string       `json:"fallback,omitempty"`
	Color      string       `json:"color"`
	AuthorName string       `json:"author_name"`
	Text       string       `json:"text"`
	MarkdownIn []string     `json:"mrkdwn_in"`
	Fields     []slackField `json:"fields"`
}

type slackField struct {
	Title string `json:"title"`
	Value string `json:"value"`
	Short bool   `json:"short"`
}

// colors of a message, by whether it tells of a failure.
type colors struct{ good, bad string }

var (
	slackColors  = colors{"good", "danger"}
	rocketColors = colors{"#0076D7", "#FF0000"}
)

// author names an event's object as chat messages do.
func author(event *eventv1.Event) string {
	obj := event.InvolvedObject
	return fmt.Sprintf("%s/%s.%s", strings.ToLower(obj.Kind), obj.Name, obj.Namespace)
}

// slackMessageOf lays an event out for Slack and those who take its format.
func (d *destination) slackMessageOf(event *eventv1.Event, c colors) slackMessage {
	a := slackAttachment{
		Color: c.good, AuthorName: author(event), Text: event.Message, MarkdownIn: []string{"text"}, Fields: []slackField{},
	}
	if event.Severity == eventv1.EventSeverityError {
		a.Color = c.bad
	}
	for _, key := range sortedKeys(event.Metadata) {
		a.Fields = append(a.Fields, slackField{Title: key, Value: event.Metadata[key]})
	}
	m := slackMessage{Username: d.username, Attachments: []slackAttachment{a}}
	if m.Username == "" {
		m.Username = event.ReportingController
	}
	return m
}

func postSlack(ctx context.Context, d *destination, event *eventv1.Event) error {
	to, err := d.url()
	if err != nil {
		return err
	}
	m := d.slackMessageOf(event, slackColors)
	m.Channel = d.channel
	line, _, _ := strings.Cut(event.Message, "\n")
	m.Attachments[0].Fallback = m.Attachments[0].AuthorName + ": " + line
	c := call{method: http.MethodPost, url: to, body: m, header: map[string]string{}}
	if d.token != "" {
		c.header["Authorization"] = "Bearer " + d.token
	}
	if d.address != slackAPI {
		return d.do(ctx, c)
	}
	var answer slackAnswer
	c.into = &answer
	if err := d.do(ctx, c); err != nil {
		return err
	}
	return answer.err()
}

// slackAnswer is what Slack's API says of a message.
type slackAnswer struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
}

// slackCode is the form of Slack's error codes; nothing else is repeated.
var slackCode = regexp.MustCompile(`^[a-z_]{1,64}$`)

func (a slackAnswer) err() error {
	switch {
	case a.OK:
		return nil
	case !slackCode.MatchString(a.Error):
		return permanent("Slack refused the message")
	case a.Error == "ratelimited" || a.Error == "internal_error" || a.Error == "service_unavailable":
		return fmt.Errorf("Slack refused the message for now: %s", a.Error)
	}
	return permanent("Slack refused the message: %s", a.Error)
}

func postRocket(ctx context.Context, d *destination, event *eventv1.Event) error {
	to, err := d.url()
	if err != nil {
		return err
	}
	m := d.slackMessageOf(event, rocketColors)
	m.Channel = d.channel
	return d.do(ctx, call{method: http.MethodPost, url: to, body: m})
}

// postDiscord sends to a Discord webhook by the part of it that takes Slack's format.
func postDiscord(ctx context.Context, d *destination, event *eventv1.Event) error {
	to, err := d.url()
	if err != nil {
		return err
	}
	if path.Base(to.Path) != "slack" {
		to = to.JoinPath("slack")
	}
	return d.do(ctx, call{method: http.MethodPost, url: to, body: d.slackMessageOf(event, slackColors)})
}

type matrixMessage struct {
	Body string `json:"body"`
	Type string `json:"msgtype"`
}

// postMatrix sends to the room that spec.channel names. The transaction is
// named by the event, so that a retry does not say it twice.
func postMatrix(ctx context.Context, d *destination, event *eventv1.Event) error {
	server, err := d.url()
	if err != nil {
		return err
	}
	token, err := d.needToken()
	if err != nil {
		return err
	}
	if d.channel == "" {
		return permanent("a Provider of the type matrix needs the room in spec.channel")
	}
	raw, err := json.Marshal(event)
	if err != nil {
		return permanent("marshalling the event failed: %w", err)
	}
	sum := sha1.Sum(raw)
	to := server.JoinPath("_matrix/client/r0/rooms", url.PathEscape(d.channel), "send/m.room.message", hex.EncodeToString(sum[:]))
	return d.do(ctx, call{
		method: http.MethodPut, url: to,
		body:   matrixMessage{Body: matrixText(event), Type: "m.text"},
		header: map[string]string{"Authorization": "Bearer " + token},
	})
}

func matrixText(event *eventv1.Event) string {
	emoji := "💫"
	if event.Severity == eventv1.EventSeverityError {
		emoji = "🚨"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\n%s\n", emoji, author(event), event.Message)
	for _, key := range sortedKeys(event.Metadata) {
		fmt.Fprintf(&text, "- %s: %s\n", key, event.Metadata[key])
	}
	return text.String()
}
