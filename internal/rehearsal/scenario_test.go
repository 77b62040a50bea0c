package rehearsal

import (
	"strings"
	"testing"
	"time"
)

func TestParseScenario(t *testing.T) {
	s, err := ParseScenario("game/day.yaml", []byte(`
faults: [connect-down@settled, "overlay=spoilt@settled"]
expect:
  - object: ExternalSecret/media/immich
    state: Failed
    within: 90s
    cause: connect-down
    at: a/b.yaml:12
`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "day" || !s.fromHealthy() || s.patience() != 90*time.Second || !strings.HasSuffix(s.faults[1].Which, "/game/spoilt") {
		t.Errorf("read %+v", s)
	}
	expect := "expect: [{cause: x}]"
	for text, want := range map[string]string{
		"":                                 "has no faults",
		"faults: [connect-down]":           "expects nothing",
		"faults: [fire]\n" + expect:        `faults[0]: fault "fire"`,
		"what: 1":                          "field what not found",
		"faults: [git-down]\n---\na: 1":    "one document",
		"faults: [git-down]\nexpect: [{}]": "neither an object nor a cause",
		"faults: [git-down]\nexpect: [{object: Pod/x}]":                           "KIND/NAMESPACE/NAME",
		"faults: [git-down]\nexpect: [{cause: x, state: Failed}]":                 "needs an object",
		"faults: [git-down]\nexpect: [{object: Pod/a/b, at: a.yaml}]":             "needs a cause",
		"faults: [git-down]\nexpect: [{cause: x, at: 'a.yaml:0'}]":                "FILE:LINE",
		"faults: [git-down]\nexpect:\n  - cause: x\n    within: soon":             "line 4",
		"faults: [git-down]\nstays: [immich]\n" + expect:                          "stays",
		"faults: [git-down]\nname: " + strings.Repeat("x", 2<<20) + "\n" + expect: "longer than",
	} {
		if _, err := ParseScenario("f.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "f.yaml") {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseScenario(f *testing.F) {
	f.Add([]byte("faults: [git-down]\nexpect: [{cause: x}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseScenario("f.yaml", text)
		if err == nil && (len(s.faults) == 0 || len(s.Expect) == 0) {
			t.Errorf("%q is a scenario of nothing", text)
		}
	})
}
