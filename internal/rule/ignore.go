package rule

import (
	"bytes"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/manifest/edit"
	"hearth/internal/repo"
)

// Ignore is the rule that comments which silence others are held to. The run
// itself checks it, since it alone knows what was silenced.
var Ignore = &Rule{
	Name:     "ignore",
	Topic:    "tree",
	Severity: Warning,
	Title:    "A comment that silences a finding says why, and silences something",
	Why: "An exception without a reason is one that nobody dares to remove, and one that no longer silences anything " +
		"hides the next finding on that line.",
	Remedy: "Write `# hearth:ignore RULE reason` above the line or at its end, one comment for each finding, and remove " +
		"the comment with what it was there for.",
	Section: "Rule 1: GitOps is the source of truth",
	Fixes:   true,
	Bad: "# hearth:ignore image-latest\n" +
		"image: ghcr.io/example/app:latest\n",
	Good: "# hearth:ignore image-latest the vendor publishes no other tag\n" +
		"image: ghcr.io/example/app:latest\n",
}

// exception is a comment that silences one finding.
type exception struct {
	place  domain.Place
	rule   string
	reason string
	target int // the line that it speaks of
	text   string
	used   bool
}

var ignoreComment = regexp.MustCompile(`(^|\s)#\s*hearth:ignore\b[ \t]*(\S*)[ \t]*(.*)$`)

// ignore drops the findings that comments silence, and adds what is wrong with
// the comments.
func (o Options) ignore(r *repo.Repository, report *Report, text *texts, findings []Finding) []Finding {
	ran := report.Rules
	heads := headLines(r)
	byPlace := map[domain.Place][]*exception{}
	all := text.allExceptions(r.Files())
	for _, e := range all {
		file := e.place.File
		for _, line := range append(heads[domain.Place{File: file, Line: e.target}], e.target) {
			at := domain.Place{File: file, Line: line}
			byPlace[at] = append(byPlace[at], e)
		}
	}
	kept := slices.DeleteFunc(findings, func(f Finding) bool {
		for _, e := range byPlace[f.Place] {
			if e.rule == f.Rule && e.reason != "" && !e.used {
				e.used = true
				return true
			}
		}
		return false
	})
	if !slices.Contains(ran, Ignore.Name) {
		return kept
	}
	for _, e := range all {
		f, ok := o.complaint(e, ran)
		if ok && f.Edits != nil && slices.ContainsFunc(report.Notes, func(n Note) bool { return n.Rule == e.rule }) {
			// What the rule could not judge may be what the comment is for.
			f.Edits = nil
		}
		if ok {
			text.locate(&f)
			kept = append(kept, f)
		}
	}
	return kept
}

// complaint says what is wrong with a comment. Whether one silences anything
// is known only where its rule has judged every cluster.
func (o Options) complaint(e *exception, ran []string) (Finding, bool) {
	f := Finding{Rule: Ignore.Name, Severity: Ignore.Severity, Place: e.place, Text: "hearth:ignore"}
	_, known := Find(o.Rules, e.rule)
	switch {
	case e.rule == "":
		f.Message = "the comment names no rule, so that it silences nothing"
		f.Fix = "# hearth:ignore RULE reason"
	case !known || e.rule == Ignore.Name:
		f.Message = fmt.Sprintf("there is no rule %q to be silenced", e.rule)
		f.Text = e.rule
	case e.reason == "":
		f.Message = fmt.Sprintf("the comment does not say why %s is silenced, and silences nothing until it does", e.rule)
		f.Fix = fmt.Sprintf("# hearth:ignore %s reason", e.rule)
	case !e.used && o.Cluster == "" && slices.Contains(ran, e.rule):
		f.Message = fmt.Sprintf("the comment silences nothing: %s finds nothing here", e.rule)
		f.Fix = "remove the comment"
		f.Edits = []edit.Edit{edit.Uncomment(e.place.File, e.place.Line, e.text)}
	default:
		return Finding{}, false
	}
	return f, true
}

// headLines returns, for the line that an object begins on, the other lines
// that findings about the whole object stand on.
func headLines(r *repo.Repository) map[domain.Place][]int {
	heads := map[domain.Place][]int{}
	first := map[string]bool{}
	for _, d := range r.Documents() {
		at := domain.Place{File: d.File, Line: d.Line}
		if !first[d.File] {
			first[d.File] = true
			heads[at] = append(heads[at], 0) // what is said about the file
		}
		for _, path := range [][]string{{"apiVersion"}, {"kind"}, {"metadata"}, {"metadata", "name"}, {"metadata", "namespace"}} {
			if _, ok := d.Find(path...); !ok {
				continue
			}
			if line := d.FieldLine(path...); line != d.Line && !slices.Contains(heads[at], line) {
				heads[at] = append(heads[at], line)
			}
		}
	}
	return heads
}

// holdsComments reports whether "#" begins a comment in a file.
func holdsComments(name string) bool {
	for _, suffix := range []string{".yaml", ".yml", ".yaml.j2", ".yml.j2", "/Kustomization"} {
		if strings.HasSuffix("/"+name, suffix) {
			return true
		}
	}
	return false
}

// allExceptions returns the comments of files, in their order.
func (t *texts) allExceptions(files []manifest.File) []*exception {
	found := make([][]*exception, len(files))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	const batch = 64
	for from := 0; from < len(files); from += batch {
		group.Go(func() error {
			for i := from; i < min(from+batch, len(files)); i++ {
				if f := files[i]; !f.Link && f.Size <= manifest.MaxSize && holdsComments(f.Path) {
					found[i] = t.exceptions(f.Path)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // no part of it fails
	return slices.Concat(found...)
}

// exceptions returns the comments of a file. One on a line of its own speaks
// of the next line that is no comment.
func (t *texts) exceptions(file string) []*exception {
	data, err := manifest.Read(t.root, file)
	if err != nil || !bytes.Contains(data, []byte("hearth:ignore")) {
		return nil
	}
	var found []*exception
	lines := t.of(file)
	for i := range lines {
		m := ignoreComment.FindStringSubmatchIndex(t.line(file, i+1))
		if m == nil {
			continue
		}
		line := t.line(file, i+1)
		e := &exception{
			place: domain.Place{File: file, Line: i + 1}, target: i + 1,
			text: line[m[3]:], rule: line[m[4]:m[5]], reason: strings.TrimSpace(line[m[6]:m[7]]),
		}
		if strings.TrimSpace(line[:m[0]]) == "" {
			e.target = nextContent(lines, i+1)
		}
		found = append(found, e)
	}
	return found
}

// nextContent returns the number of the first line from index on that is
// neither empty, nor a comment, nor the mark of a new document; 0 if none.
func nextContent(lines []string, index int) int {
	for i := index; i < len(lines); i++ {
		if body := strings.TrimSpace(lines[i]); body != "" && !strings.HasPrefix(body, "#") && body != "---" {
			return i + 1
		}
	}
	return 0
}
