package edit

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"hearth/internal/manifest"
)

// TestCorpusRoundTrip sets every single value of real files to what it is, which must
// not change a byte. Many it sets to something else and back; to many mappings and lists it adds
// something, and removes it again. All of it is done with CRLF, too.
func TestCorpusRoundTrip(t *testing.T) {
	root := filepath.FromSlash("../../../../shared/corpora")
	if _, err := os.Stat(root); err != nil {
		t.Skip("there is no ../shared/corpora beside the module")
	}
	var c counts
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || filepath.Ext(file) != ".yaml" && filepath.Ext(file) != ".yml" {
			return err
		}
		data, err := os.ReadFile(file)
		if err == nil {
			c.roundTrip(t, file, data)
			c.roundTrip(t, file, bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d are no YAML; %d values, %d of them also there and back; %d mappings and lists; %d refused", c.files, c.broken, c.values, c.back, c.grown, c.refused)
	if c.files == 0 || c.values == 0 || c.back == 0 || c.grown == 0 || c.refused*20 > c.values {
		t.Error("too little was tried")
	}
}

// sample is how many values are there for one that is changed. All take half a minute.
const sample = 20

type counts struct{ files, broken, values, back, collections, grown, refused int }

func (c *counts) roundTrip(t *testing.T, file string, data []byte) {
	c.files++
	docs, err := manifest.Parse(file, data)
	if err != nil {
		c.broken++
		if got, err := Apply(data, CommentAbove(file, 1, "x")); err == nil || string(got) != string(data) {
			t.Errorf("%s is no YAML, and was edited", file)
		}
		return
	}
	for _, d := range docs {
		each(d.Node, nil, func(n *yaml.Node, path []string) {
			if n.Kind != yaml.ScalarNode {
				c.addAndRemove(t, data, d, n, path)
			} else if e, ok := toWhatItIs(file, d.Line, path, n); ok {
				c.keep(t, data, e)
			}
		})
	}
}

func (c *counts) keep(t *testing.T, data []byte, e Edit) {
	got, err := Apply(data, e)
	c.values++
	switch {
	case isRefusal(err):
		c.refused++
	case err != nil || string(got) != string(data):
		t.Errorf("%s: %v: %v", e.File, e, err)
	case c.values%sample == 0:
		c.thereAndBack(t, data, e)
	}
}

// addAndRemove adds a child to a mapping or list and removes it again.
func (c *counts) addAndRemove(t *testing.T, data []byte, d *manifest.Document, n *yaml.Node, path []string) {
	add, name := Insert(d.File, d.Line, path, "addedAndRemoved:\n  - x: 1\n"), "addedAndRemoved"
	if n.Kind == yaml.SequenceNode {
		add, name = Insert(d.File, d.Line, path, "- x: 1\n"), strconv.Itoa(len(n.Content))
	}
	if c.collections++; c.collections%sample != 0 {
		return
	}
	changed, err := Apply(data, add)
	if isRefusal(err) {
		c.refused++
		return
	}
	if err != nil || len(changed) <= len(data) {
		t.Errorf("%s: %v: %v", d.File, add, err)
		return
	}
	c.grown++
	back, err := Apply(changed, Remove(d.File, d.Line, append(path, name)))
	if err != nil || string(back) != string(data) {
		t.Errorf("%s: %v, and removed again: %v\n%s", d.File, add, err, lineDiff(string(data), string(back)))
	}
}

// toWhatItIs returns the edit that sets a value to what it is.
func toWhatItIs(file string, line int, path []string, n *yaml.Node) (Edit, bool) {
	kinds := map[string]string{"!!str": typeString, "!!int": typeInteger, "!!bool": typeBoolean}
	kind, ok := kinds[n.ShortTag()]
	return Edit{File: file, Line: line, Op: OpSet, Path: pointer(path), Value: n.Value, Type: kind}, ok
}

// isRefusal reports whether an edit was refused for what is shared.
func isRefusal(err error) bool {
	var r *Refusal
	return errors.As(err, &r) && (strings.Contains(r.Reason, "is used elsewhere") || strings.Contains(r.Reason, "is an alias"))
}

// thereAndBack sets a value to another one and back.
func (c *counts) thereAndBack(t *testing.T, data []byte, e Edit) {
	other := e
	switch e.Type {
	case typeString:
		other.Value = "x" + e.Value // behind what would end the value
	case typeInteger:
		other.Value = "12345"
	case typeBoolean:
		other.Value = strconv.FormatBool(!strings.EqualFold(e.Value, "true"))
	}
	changed, err := Apply(data, other)
	if err != nil || string(changed) == string(data) {
		t.Errorf("%s: %v: %v", e.File, other, err)
		return
	}
	back, err := Apply(changed, e)
	if err != nil {
		t.Errorf("%s: %v, again: %v", e.File, e, err)
		return
	}
	if !isUnique(data, e) {
		return
	}
	c.back++
	if string(back) != string(data) {
		t.Errorf("%s: %v, there and back:\n%s", e.File, e, lineDiff(string(data), string(back)))
	}
}

// isUnique reports whether a value is written in the one way in which the editor writes it.
func isUnique(data []byte, e Edit) bool {
	t, err := read(e.File, data)
	if err != nil {
		return false
	}
	doc, err := t.document(e.Line)
	if err != nil {
		return false
	}
	f, err := t.walk(doc, e.Steps(), false)
	if err != nil {
		return false
	}
	from, err := t.content(f.node())
	if err != nil {
		return false
	}
	to, err := t.end(f.node())
	if err != nil {
		return false
	}
	switch written := string(t.data[from:to]); written[0] {
	case '|':
		return true
	case '"':
		return !strings.ContainsAny(written, "\\\n")
	case '\'', '>':
		return !strings.Contains(strings.TrimLeft(written[1:], "-\n"), "\n")
	}
	return e.Type != typeString || isPlain(e.Value, f.inFlow())
}

// each visits a node that a path leads to, and all below it but what is merged.
func each(n *yaml.Node, path []string, visit func(n *yaml.Node, path []string)) {
	path = path[:len(path):len(path)]
	if n.Kind != yaml.AliasNode {
		visit(n, path)
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for i, c := range n.Content {
			each(c, append(path, strconv.Itoa(i)), visit)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i]; key.Kind == yaml.ScalarNode && !isMerge(key) {
				each(n.Content[i+1], append(path, key.Value), visit)
			}
		}
	}
}

// lineDiff returns the lines in which two texts first differ.
func lineDiff(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return strconv.Itoa(i+1) + ": - " + x[i] + "\n" + strconv.Itoa(i+1) + ": + " + y[i]
		}
	}
	return "one is longer"
}
