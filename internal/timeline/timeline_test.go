package timeline

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"hearth/internal/domain"
)

var (
	began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ks    = domain.Ref{Kind: "Kustomization", Namespace: "flux-system", Name: "immich"}
	pod   = domain.Ref{Kind: "Pod", Namespace: "media", Name: "immich-1"}
)

func at(seconds float64) time.Time { return began.Add(time.Duration(seconds * float64(time.Second))) }

func course() Course {
	return Course{
		Began: began, Ended: at(10),
		Steps: []Step{
			{ks, at(-1), domain.KustomizationIdle, ""},
			{ks, at(1), domain.KustomizationFetching, ""},
			{ks, at(1), domain.KustomizationApplying, "applying"},
			{ks, at(2), domain.KustomizationReady, "Applied"},
			{pod, at(2), domain.PodPending, ""},
			{pod, at(3), domain.PodCrashLoop, "exit 1 \x1b[31m<script>"},
			{pod, at(5), domain.Absent, ""},
		},
		Group:    func(domain.Ref) string { return "immich" },
		Critical: []domain.Ref{ks},
	}
}

func TestNew(t *testing.T) {
	got := New(course())
	want := []Group{{Name: "immich", Rows: []Row{
		{Ref: ks, Critical: true, Bars: []Bar{
			{"Idle", Busy, 0, 1, ""}, {"Applying", Busy, 1, 2, "applying"}, {"Ready", Ready, 2, 10, "Applied"},
		}},
		{Ref: pod, Bars: []Bar{{"Pending", Busy, 2, 3, ""}, {"CrashLoop", Failed, 3, 5, "exit 1 \x1b[31m<script>"}}},
	}}}
	if diff := cmp.Diff(want, got.Groups); diff != "" {
		t.Errorf("the groups differ (-want +got):\n%s", diff)
	}
}

func TestWriteText(t *testing.T) {
	timeline := New(course())
	timeline.Faults = []Span{{"crash=immich", 3, 5}}
	var b strings.Builder
	if err := WriteText(&b, timeline, TextOptions{Width: 60, Pods: true}); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, line := range []string{"› ks immich    ", "  pod immich-1 ", "fault", "crash=immich"} {
		if !strings.Contains(got, line) {
			t.Errorf("the text lacks %q:\n%s", line, got)
		}
	}
	row := strings.Split(got, "\n")[1]
	if strings.Count(row, "█") < 4*strings.Count(row, "░")-8 || !strings.Contains(row, "█") {
		t.Errorf("ready for eight of ten seconds is drawn as\n%s", row)
	}
	if strings.Contains(got, "\x1b") {
		t.Error("control characters reach the terminal")
	}
}

func TestWriteHTML(t *testing.T) {
	timeline := New(course())
	timeline.Cluster, timeline.Verdict = "main", "Failed"
	timeline.Faults = []Span{{"crash=<b>", 3, 5}}
	timeline.Assumptions = []domain.Assumption{{Kind: domain.AssumedNode, Subject: "nodes", Reason: "none configured"}}
	var b strings.Builder
	if err := WriteHTML(&b, timeline); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if _, err := html.Parse(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`class="bar failed" style="left:30.000%;width:20.000%"`, "none configured", "◆"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, bad := range []string{"<script", "<b>", "http:", "https:", "\x1b", "ZgotmplZ"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

func TestEmpty(t *testing.T) {
	var b strings.Builder
	empty := New(Course{Began: began, Ended: began})
	if err := WriteText(&b, empty, TextOptions{}); err != nil {
		t.Error(err)
	}
	if err := WriteHTML(&b, empty); err != nil {
		t.Error(err)
	}
}
