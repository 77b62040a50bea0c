package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hearth/internal/domain"
	"hearth/internal/observe"
)

func TestLiveFrame(t *testing.T) {
	f := frame{objects: homelab(), start: noon.Add(-time.Minute), elapsed: time.Minute, width: 200, height: 24}
	want := []string{
		"  ✓ cilium   flux-system      2.0s",
		"  ●   media  flux-system  Applying   ExternalSecret immich Failed; HelmRelease immich Reconciling (pods 2 Running, 1 completed, 1 WaitingSecrets)",
		"",
		"  Kustomizations 1/2 · HelmReleases 0/1 · ExternalSecrets 0/1 · Pods 3/4 · 1m00s",
	}
	if diff := cmp.Diff(want, f.lines()); diff != "" {
		t.Error(diff)
	}

	f.width = 40
	want = []string{
		"  ✓ cilium   flux-system      2.0s",
		"  ●   media  flux-system  Applying   E…",
		"",
		"  Kustomizations 1/2 · HelmReleases 0/…",
	}
	if diff := cmp.Diff(want, f.lines()); diff != "" {
		t.Error(diff)
	}

	f.painter = true
	for _, line := range f.lines() {
		plain := strings.NewReplacer("\x1b[32m", "", "\x1b[33m", "", "\x1b[2m", "", "\x1b[0m", "").Replace(line)
		if columns(plain) >= 40 {
			t.Errorf("%q would wrap", line)
		}
	}
}

func TestLiveFrameBeforeAnything(t *testing.T) {
	want := []string{"", "  waiting for the first objects · 0.0s"}
	if diff := cmp.Diff(want, frame{}.lines()); diff != "" {
		t.Error(diff)
	}
}

// many returns Kustomizations of which some are Ready, some move and some wait.
func many(ready, moving, idle int) []observe.Object {
	var list []observe.Object
	add := func(n int, s domain.State) {
		for i := range n {
			name := fmt.Sprintf("%s-%02d", strings.ToLower(string(s)), i)
			list = append(list, observe.Object{Ref: ref("Kustomization", "x", name), State: s, Ready: s == domain.KustomizationReady, ReadyAt: noon})
		}
	}
	add(ready, domain.KustomizationReady)
	add(moving, domain.KustomizationApplying)
	add(idle, domain.KustomizationIdle)
	return list
}

func TestLiveFrameFitsTheTerminal(t *testing.T) {
	for _, test := range []struct {
		ready, moving, idle, height int
		shown                       int
		want                        []string // folded lines
	}{
		{3, 2, 2, 10, 7, nil},
		{4, 2, 2, 10, 4, []string{"  ✓ 4 Ready"}},
		{4, 2, 20, 10, 5, []string{"  ✓ 4 Ready", "  … and 17 more"}},
		{40, 30, 20, 10, 5, []string{"  ✓ 40 Ready", "  … and 45 more"}},
		{0, 0, 30, 10, 6, []string{"  … and 24 more"}},
		{9, 9, 9, 1, 0, []string{"  ✓ 9 Ready", "  … and 18 more"}},
	} {
		f := frame{objects: many(test.ready, test.moving, test.idle), height: test.height}
		var folded []string
		lines := f.lines()
		shown := len(lines) - 2
		for _, line := range lines {
			if strings.Contains(line, " Ready") || strings.Contains(line, "more") {
				folded = append(folded, line)
				shown--
			}
		}
		name := fmt.Sprintf("%d ready, %d moving, %d idle", test.ready, test.moving, test.idle)
		if diff := cmp.Diff(test.want, folded); diff != "" || shown != test.shown {
			t.Errorf("%s: %d shown, want %d; folded: %s", name, shown, test.shown, diff)
		}
		if len(lines) > test.height && test.height > 4 {
			t.Errorf("%s: %d lines on a terminal of %d", name, len(lines), test.height)
		}
	}
}

func TestLiveRowsAreInDependencyOrder(t *testing.T) {
	k := func(name string, after ...string) observe.Object {
		o := observe.Object{Ref: ref("Kustomization", "x", name)}
		for _, a := range after {
			o.DependsOn = append(o.DependsOn, ref("Kustomization", "x", a))
		}
		return o
	}
	rows := liveRows([]observe.Object{
		k("app", "db", "secrets"), k("db", "cilium", "no-such"), k("secrets", "cilium"), k("cilium"),
		k("loop-a", "loop-b"), k("loop-b", "loop-a"),
	})
	at := map[string]int{}
	for i, r := range rows {
		at[r.Name] = i
	}
	if len(rows) != 6 || at["cilium"] > at["db"] || at["cilium"] > at["secrets"] || at["db"] > at["app"] || at["secrets"] > at["app"] {
		t.Errorf("order: %v", at)
	}
	if rows[at["app"]].depth != 2 {
		t.Errorf("app lies %d deep", rows[at["app"]].depth)
	}
}

func TestLiveRedraws(t *testing.T) {
	var b strings.Builder
	l := newLive(&b, false, func() (int, int) { return 80, 24 })
	l.draw(frame{objects: many(1, 0, 0)})
	first := b.String()
	b.Reset()
	l.draw(frame{objects: many(2, 0, 0)})
	second := b.String()
	b.Reset()
	l.erase()
	if strings.Count(first, "\n") != 3 || strings.Contains(first, "A") && strings.Contains(first, "\x1b[3A") {
		t.Errorf("first: %q", first)
	}
	if !strings.HasPrefix(second, "\x1b[3A\r") || !strings.HasSuffix(second, "\x1b[J") {
		t.Errorf("second: %q", second)
	}
	if b.String() != "\x1b[4A\r\x1b[J" {
		t.Errorf("erased: %q", b.String())
	}
}

func TestLiveRunDrawsAfterChangesOnly(t *testing.T) {
	changes, done := make(chan struct{}, 1), make(chan struct{})
	frames := make(chan time.Time, 100)
	l := newLive(&strings.Builder{}, false, func() (int, int) { return 80, 24 })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.run(changes, done, func() frame { frames <- time.Now(); return frame{} })
	}()
	first := <-frames
	changes <- struct{}{}
	if second := <-frames; second.Sub(first) < liveRate {
		t.Errorf("redrawn after %s", second.Sub(first))
	}
	close(done)
	<-ended
}

func TestLiveLog(t *testing.T) {
	var b strings.Builder
	l := newLiveLog(&b, noon)
	immich, cilium := ref("HelmRelease", "media", "immich"), ref("Kustomization", "flux-system", "cilium")
	for i, tr := range []observe.Transition{
		{Ref: cilium, From: domain.Absent, To: "Idle", Message: "dependency 'x' is not ready"},
		{Ref: cilium, From: "Idle", To: "Fetching", Passed: true},
		{Ref: cilium, From: "Fetching", To: "Building", Message: "Building manifests"},
		{Ref: ref("Pod", "media", "immich-0"), From: domain.Absent, To: "Pending"},
		{Ref: cilium, From: "Building", To: "Failed", Message: "path \x1bnot\nfound", OffModel: true},
		{Ref: immich, From: domain.Absent, To: "Pending", Passed: true},
		{Ref: immich, From: "Pending", To: "Ready", Message: "installed"},
		{Ref: immich, From: "Deleting", To: domain.Absent},
	} {
		tr.At = noon.Add(time.Duration(i) * time.Second)
		l.transition(tr)
	}
	l.stop()
	l.transition(observe.Transition{Ref: cilium, To: "Ready"})
	want := `    0.0s  Kustomization  flux-system/cilium  Idle
    2.0s  Kustomization  flux-system/cilium  Idle → Building
    4.0s  Kustomization  flux-system/cilium  Building → Failed  path  not found (the model has no such transition)
    6.0s  HelmRelease    media/immich  Ready
    7.0s  HelmRelease    media/immich  gone
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}
