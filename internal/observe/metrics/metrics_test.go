package metrics

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

// observed is what a test says to be observed.
type observed struct {
	objects    []observe.Object
	late       []observe.Late
	transition func(observe.Transition)
	event      func(domain.Event)
}

func (o *observed) All() []observe.Object                { return o.objects }
func (o *observed) Overdue(time.Time) []observe.Late     { return o.late }
func (o *observed) Subscribe(f func(observe.Transition)) { o.transition = f }
func (o *observed) OnEvent(f func(domain.Event))         { o.event = f }
func ref(kind, name string) domain.Ref                   { return domain.Ref{Kind: kind, Namespace: "media", Name: name} }
func object(kind, name string, s domain.State) observe.Object {
	return observe.Object{Ref: ref(kind, name), State: s, Ready: s == "Ready"}
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, Path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestMetrics(t *testing.T) {
	o := &observed{
		objects: []observe.Object{
			object("GitRepository", "home", "Ready"), object("HelmRelease", "immich", "Failed"), object("OCIRepository", "charts", "Ready"),
		},
		late: []observe.Late{{Ref: ref("HelmRelease", "immich"), Rule: domain.RuleRetriesUsedUp}},
	}
	m := New(o)
	step := func(from, to domain.State, lasted time.Duration) {
		o.transition(observe.Transition{Ref: ref("HelmRelease", "immich"), From: from, To: to, Lasted: lasted})
	}
	step(domain.Absent, domain.ReleasePending, time.Hour)
	step(domain.ReleaseReconciling, domain.ReleaseFailed, 11*time.Minute)
	step(domain.ReleaseFailed, domain.ReleaseReconciling, time.Second)
	step(domain.ReleaseReconciling, domain.ReleaseReady, 2*time.Minute)
	o.event(domain.HelmReleaseReady{})
	text := scrape(t, m)
	for _, want := range []string{
		`hearth_object_state{kind="HelmRelease",name="immich",namespace="media",state="Failed"} 1`,
		`hearth_objects{kind="Source",state="Ready"} 2`,
		`hearth_objects_ready{kind="Source"} 2`,
		`hearth_objects_ready{kind="HelmRelease"} 0`,
		`hearth_transitions_total{from="[*]",kind="HelmRelease",off_model="false",to="Pending"} 1`,
		`hearth_state_duration_seconds_count{kind="HelmRelease",state="Reconciling"} 2`,
		`hearth_state_duration_seconds_bucket{kind="HelmRelease",state="Reconciling",le="300"} 1`,
		`hearth_operations_total{duration="overdue",operation="HelmRelease install"} 1`,
		`hearth_operations_total{duration="typical",operation="HelmRelease install"} 1`,
		`hearth_operation_typical_seconds{bound="timeout",operation="HelmRelease install"} 600`,
		`hearth_retries_total{kind="HelmRelease"} 1`,
		`hearth_events_total{event="HelmReleaseReady"} 1`,
		`hearth_overdue{kind="HelmRelease",name="immich",namespace="media",rule="retries-used-up"} 1`,
		`hearth_overdue_objects{kind="Kustomization",rule="reconcile-overdue"} 0`,
		`hearth_objects_unnamed 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
}

func TestSeriesAreBounded(t *testing.T) {
	o := &observed{}
	for n := range maxObjects + 10 {
		o.objects = append(o.objects, object("Pod", fmt.Sprint(n), "Running"))
	}
	text := scrape(t, New(o))
	if n := strings.Count(text, "\nhearth_object_state{"); n != maxObjects {
		t.Errorf("%d series of objects", n)
	}
	if !strings.Contains(text, "\nhearth_objects_unnamed 10\n") || !strings.Contains(text, fmt.Sprintf(`hearth_objects{kind="Pod",state="Running"} %d`, maxObjects+10)) {
		t.Error("what has no series of its own is not counted")
	}
}

func TestServesOnLoopbackOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:9000", "nonsense"} {
		if l, err := Listen(address); err == nil {
			l.Close()
			t.Errorf("%s is served", address)
		}
	}
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- New(&observed{}).Serve(ctx, l) }()
	if text := get(t, l.Addr()); !strings.Contains(text, "hearth_objects_unnamed") {
		t.Errorf("served: %s", text)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("it did not end")
	}
}

func get(t *testing.T, address net.Addr) string {
	t.Helper()
	response, err := http.Get("http://" + address.String() + Path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
