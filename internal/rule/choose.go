package rule

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hearth/internal/manifest"
	"hearth/internal/repo"
)

// Off is the severity that silences a rule in the configuration.
const Off = "off"

// Find returns the rule of a name.
func Find(rules []*Rule, name string) (*Rule, bool) {
	i := slices.IndexFunc(rules, func(r *Rule) bool { return r.Name == name })
	if i < 0 {
		return nil, false
	}
	return rules[i], true
}

// choose returns the rules to run, in their order: those that are named, or
// else those that the configuration leaves on.
func (o Options) choose(c repo.Config) ([]*Rule, error) {
	for _, name := range o.Only {
		if _, ok := Find(o.Rules, name); !ok {
			return nil, fmt.Errorf("there is no rule %q: hearth rules lists them", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Rules)) {
		if _, ok := Find(o.Rules, name); !ok {
			return nil, &manifest.Problem{Place: c.Place("rules", name), Message: fmt.Sprintf("there is no rule %q: hearth rules lists them", name)}
		}
	}
	var chosen []*Rule
	for _, r := range o.Rules {
		configured, declared := c.Rules[r.Name]
		on := configured.Severity != Off && (declared || !r.OffByDefault)
		if len(o.Only) > 0 {
			on = slices.Contains(o.Only, r.Name)
		}
		if on {
			chosen = append(chosen, r)
		}
	}
	return chosen, nil
}

// judgement is what the owner says about findings.
type judgement struct{ config repo.Config }

// apply leaves out what the owner excludes, and sets the severities.
func (j judgement) apply(findings []Finding) []Finding {
	var kept []Finding
	for _, f := range findings {
		if j.excludes(f) {
			continue
		}
		if s, ok := ParseSeverity(j.config.Rules[f.Rule].Severity); ok {
			f.Severity = s
		}
		f.Fixable = len(f.Edits) > 0
		kept = append(kept, f)
	}
	return kept
}

// excludes reports whether the owner wants nothing to be said: about the file,
// or by the rule about the file or the object.
func (j judgement) excludes(f Finding) bool {
	if j.excludesFile(f.Place.File) {
		return true
	}
	object := f.Object.Name
	if f.Object.Namespace != "" {
		object = f.Object.Namespace + "/" + f.Object.Name
	}
	return slices.ContainsFunc(j.config.Rules[f.Rule].Exclude, func(pattern string) bool {
		return covers(pattern, f.Place.File) || object != "" && repo.Match(pattern, object)
	})
}

func (j judgement) excludesFile(file string) bool {
	return slices.ContainsFunc(j.config.Exclude, func(pattern string) bool { return covers(pattern, file) })
}

// covers reports whether a pattern matches a file, or a folder that it is in.
func covers(pattern, file string) bool {
	pattern = strings.TrimSuffix(pattern, "/")
	return file != "" && (repo.Match(pattern, file) || repo.Match(pattern+"/**", file))
}
