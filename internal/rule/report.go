package rule

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Report is what a run found.
type Report struct {
	// Findings are ordered by file, line and rule.
	Findings []Finding
	// Notes tell what could not be judged, ordered by rule.
	Notes []Note
	// Fixed are the findings that were put right, in order of doing so.
	Fixed []Finding
	// Rules are the names of those that ran, and Clusters of those judged.
	Rules, Clusters []string
	// Elapsed is how long the check took.
	Elapsed time.Duration `json:"-"`

	read []string // files that builds have read
}

// Note is what a rule could not judge, and why.
type Note struct {
	Rule string // "" where the note is about the whole run
	Text string
}

// Count returns how many findings have a severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// note adds a note once.
func (r *Report) note(rule, text string) {
	if n := (Note{rule, text}); !slices.Contains(r.Notes, n) {
		r.Notes = append(r.Notes, n)
	}
}

// compare orders findings by file, line, rule and what they say.
func compare(a, b Finding) int {
	return cmp.Or(
		strings.Compare(a.Place.File, b.Place.File),
		cmp.Compare(a.Place.Line, b.Place.Line),
		strings.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Column, b.Column),
		strings.Compare(a.Message, b.Message),
		a.Object.Compare(b.Object),
	)
}

// distinct drops findings that say the same at the same place. They are sorted.
func distinct(findings []Finding) []Finding {
	return slices.CompactFunc(findings, func(a, b Finding) bool {
		return a.Rule == b.Rule && a.Place == b.Place && a.Message == b.Message
	})
}
