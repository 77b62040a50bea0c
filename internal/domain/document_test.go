package domain

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// document is the text of the domain model, in sections by heading.
type document struct {
	t        *testing.T
	sections map[string]string
}

// openDocument reads the domain model where it stands beside the module.
func openDocument(t *testing.T) document {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "spec", "domain-model.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the domain model is not at hand: %v", err)
	}
	d := document{t: t, sections: map[string]string{}}
	heading, fenced := "", false
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && !fenced && strings.HasPrefix(line, "#") {
			heading = strings.TrimSpace(title)
			continue
		}
		d.sections[heading] += line
	}
	return d
}

func (d document) section(heading string) string {
	d.t.Helper()
	s, ok := d.sections[heading]
	if !ok {
		d.t.Fatalf("the domain model has no section %q", heading)
	}
	return s
}

// table returns the body rows of the first table of a section.
func (d document) table(heading string) [][]string {
	d.t.Helper()
	var rows [][]string
	for line := range strings.Lines(d.section(heading)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			if rows != nil {
				break
			}
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		rows = append(rows, cells)
	}
	if len(rows) < 3 {
		d.t.Fatalf("section %q holds no table", heading)
	}
	return rows[2:]
}

type edge struct{ From, To State }

type labelled struct {
	edge
	label string
}

var arrow = regexp.MustCompile(`^(\S+) --> (\S+): (.*)$`)

// diagram returns the edges of a section's state diagram, in its order.
func (d document) diagram(heading string) []labelled {
	d.t.Helper()
	var edges []labelled
	for line := range strings.Lines(d.section(heading)) {
		if m := arrow.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			edges = append(edges, labelled{edge{State(m[1]), State(m[2])}, m[3]})
		}
	}
	if len(edges) == 0 {
		d.t.Fatalf("section %q holds no state diagram", heading)
	}
	return edges
}

// list returns the bullets under a bold label of a section.
func (d document) list(heading, label string) []string {
	d.t.Helper()
	_, rest, ok := strings.Cut(d.section(heading), "**"+label+"**:")
	if !ok {
		d.t.Fatalf("section %q has no %q", heading, label)
	}
	var items []string
	for i, line := range strings.Split(rest, "\n") {
		line = strings.TrimSpace(line)
		if i == 0 && line != "" {
			return []string{line}
		}
		item, ok := cutBullet(line)
		switch {
		case ok:
			items = append(items, item)
		case line != "":
			return items
		}
	}
	return items
}

var bullet = regexp.MustCompile(`^(?:-|\d+\.) (.*)$`)

func cutBullet(line string) (string, bool) {
	m := bullet.FindStringSubmatch(line)
	if m == nil {
		return "", false
	}
	return m[1], true
}
