package git

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/go-git/go-git/v5/plumbing"
)

// DefaultBranch is what is taken where a reference names nothing, as in Flux.
const DefaultBranch = "master"

// Ref is what to take of a repository. Commit counts before Name, that before
// SemVer, that before Tag, and that before Branch.
type Ref struct {
	Branch, Tag, SemVer, Name, Commit string
}

// Target is a commit that a reference stands for.
type Target struct {
	// Reference is the name behind it; empty where a commit was asked for
	// without a branch.
	Reference plumbing.ReferenceName
	// Commit is what it points at.
	Commit plumbing.Hash
	// Tag is the tag object between them, zero where there is none.
	Tag plumbing.Hash

	label  string
	pinned bool // the commit was asked for, not found
}

// Revision returns how Flux writes the target: branch@sha1:commit.
func (t Target) Revision() string {
	if t.label == "" {
		return "sha1:" + t.Commit.String()
	}
	return t.label + "@sha1:" + t.Commit.String()
}

var commitForm = regexp.MustCompile(`^[0-9a-f]{40}$`)

// Resolve returns what a reference stands for now.
func (s *Session) Resolve(ref Ref) (Target, error) {
	switch {
	case ref.Commit != "":
		return s.pinned(ref)
	case ref.Name != "":
		t, err := s.named(plumbing.ReferenceName(ref.Name))
		t.label = ref.Name
		return t, err
	case ref.SemVer != "":
		tag, err := s.newestTag(ref.SemVer)
		if err != nil {
			return Target{}, err
		}
		return s.named(plumbing.NewTagReferenceName(tag))
	case ref.Tag != "":
		return s.named(plumbing.NewTagReferenceName(ref.Tag))
	}
	return s.named(plumbing.NewBranchReferenceName(cmp.Or(ref.Branch, DefaultBranch)))
}

func (s *Session) named(name plumbing.ReferenceName) (Target, error) {
	if name == plumbing.HEAD && s.refs.Head != nil {
		return Target{Reference: name, Commit: *s.refs.Head, label: name.String()}, nil
	}
	object, commit, ok := s.reference(name)
	if !ok {
		return Target{}, fmt.Errorf("couldn't find remote ref \"%s\" in '%s'", legible(string(name)), shown(s.url))
	}
	t := Target{Reference: name, Commit: commit, label: short(name)}
	if object != commit {
		t.Tag = object
	}
	return t, nil
}

// short returns a reference's name without its first two elements.
func short(name plumbing.ReferenceName) string {
	if parts := strings.SplitN(string(name), "/", 3); len(parts) == 3 {
		return parts[2]
	}
	return string(name)
}

func (s *Session) pinned(ref Ref) (Target, error) {
	ref.Commit = strings.ToLower(ref.Commit)
	if !commitForm.MatchString(ref.Commit) {
		return Target{}, fmt.Errorf("'%s' is no commit: 40 hexadecimal digits are", legible(ref.Commit))
	}
	t := Target{Commit: plumbing.NewHash(ref.Commit), label: ref.Branch, pinned: true}
	if ref.Branch == "" {
		return t, nil
	}
	branch, err := s.named(plumbing.NewBranchReferenceName(ref.Branch))
	t.Reference = branch.Reference
	return t, err
}

// newestTag returns the tag of the highest version in a range. Of two tags of
// the same version it is the one whose name sorts last.
func (s *Session) newestTag(expression string) (string, error) {
	constraint, err := semver.NewConstraint(expression)
	if err != nil {
		return "", fmt.Errorf("semver parse error: %w", err)
	}
	var newest *semver.Version
	for _, name := range slices.Sorted(maps.Keys(s.refs.References)) {
		tag, ok := strings.CutPrefix(name, "refs/tags/")
		if !ok {
			continue
		}
		version, err := semver.NewVersion(tag)
		if err == nil && constraint.Check(version) && (newest == nil || !version.LessThan(newest)) {
			newest = version
		}
	}
	if newest == nil {
		return "", errors.New("no match found for semver: " + expression)
	}
	return newest.Original(), nil
}

// leading returns the objects to ask for in order to get a commit: the one that
// a reference names and that is, or leads straight to, the commit; or else all
// from which it may be reached, with their history.
func (s *Session) leading(t Target) (want []plumbing.Hash, direct bool) {
	for _, name := range slices.Sorted(maps.Keys(s.refs.References)) {
		ref := plumbing.ReferenceName(name)
		if t.Reference != "" && ref != t.Reference || t.Reference == "" && !ref.IsBranch() && !ref.IsTag() {
			continue
		}
		object, commit, _ := s.reference(ref)
		if commit == t.Commit {
			return []plumbing.Hash{object}, true
		}
		want = append(want, object)
	}
	return want, false
}
