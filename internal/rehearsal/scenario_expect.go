package rehearsal

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"hearth/internal/diagnose"
	"hearth/internal/domain"
	"hearth/internal/observe"
)

// missing says what of a scenario is not to be seen.
func (s *Scenario) missing(snapshot []observe.Object, look *diagnose.Report) []string {
	missed := []string{}
	expected := map[string]bool{}
	for _, e := range s.Expect {
		expected[e.Cause] = true
		if e.Object != "" && !slices.ContainsFunc(snapshot, e.seen) {
			missed = append(missed, e.objectMissed(snapshot))
		}
		if e.Cause != "" && !slices.ContainsFunc(look.Findings, e.explained) {
			missed = append(missed, e.causeMissed(look))
		}
	}
	for _, f := range look.Findings {
		if !s.MoreCauses && !expected[f.Cause] {
			missed = append(missed, fmt.Sprintf("%s is blamed, too: %s", f.Cause, f.Sentence))
		}
	}
	for _, u := range look.Unexplained {
		if !s.MoreCauses {
			missed = append(missed, fmt.Sprintf("%s is not explained: %s", u.Object, u.Message))
		}
	}
	return missed
}

// seen reports whether an object is the one that is expected, in its state.
func (e Expectation) seen(o observe.Object) bool {
	return fits(e.Object, o.Ref) && (e.State == "" || e.State == string(o.State)) && strings.Contains(o.Message, e.Message)
}

func (e Expectation) objectMissed(snapshot []observe.Object) string {
	for _, o := range snapshot {
		if fits(e.Object, o.Ref) {
			return fmt.Sprintf("%s is %s (%s), expected %s", o.Ref, o.State, o.Message, e.wanted())
		}
	}
	return fmt.Sprintf("%s does not exist, expected %s", e.Object, e.wanted())
}

func (e Expectation) wanted() string {
	if e.Message == "" {
		return e.State
	}
	return strings.TrimSpace(fmt.Sprintf("%s %q", e.State, e.Message))
}

// explained reports whether a finding is the cause that is expected, where it
// is expected.
func (e Expectation) explained(f *diagnose.Finding) bool {
	if f.Cause != e.Cause {
		return false
	}
	file, line, lined := strings.Cut(e.At, ":")
	return e.At == "" || f.Place.File == file && (!lined || fmt.Sprint(f.Place.Line) == line)
}

func (e Expectation) causeMissed(look *diagnose.Report) string {
	var found []string
	for _, f := range look.Findings {
		found = append(found, causeAt(f))
	}
	if len(found) == 0 {
		found = []string{"no cause"}
	}
	return strings.TrimSpace(fmt.Sprintf("found was %s, expected %s %s", strings.Join(found, ", "), e.Cause, e.At))
}

// causeAt names a cause and its place in Git, if that is known.
func causeAt(f *diagnose.Finding) string {
	if !f.Place.Known() {
		return f.Cause
	}
	return f.Cause + " at " + f.Place.String()
}

func causesOf(look *diagnose.Report) []string {
	names := []string{}
	for _, f := range look.Findings {
		names = append(names, causeAt(f))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fits reports whether a KIND/NAMESPACE/NAME pattern names an object.
func fits(pattern string, ref domain.Ref) bool {
	ok, err := path.Match(pattern, ref.Kind+"/"+ref.Namespace+"/"+ref.Name)
	return err == nil && ok
}
