package schema

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"strings"
	"sync"
)

//go:generate go run generate_carried.go generate_custom.go generate_operators.go

// carriedFiles are the definitions of operators' kinds, a file an API group.
//
//go:embed carried/*.gz
var carriedFiles embed.FS

// carriedGroup is what one release of an operator defines in an API group.
type carriedGroup struct {
	kinds map[string]*Definition

	mu sync.Mutex
	// texts are the schemas that others share, nodes those that were needed.
	texts map[string]string
	nodes map[string]*node
}

// carried returns the carried definition of a kind, or nil.
func (a *archive) carried(kind groupKind) *Definition {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, ok := a.operators[kind.group]
	if !ok {
		g = readCarried(kind.group)
		a.operators[kind.group] = g
	}
	return g.kinds[kind.kind]
}

// readCarried unpacks the definitions of an API group. One that no operator
// defines has none.
func readCarried(group string) *carriedGroup {
	g := &carriedGroup{kinds: map[string]*Definition{}, texts: map[string]string{}, nodes: map[string]*node{}}
	packed, err := carriedFiles.ReadFile("carried/" + group + ".gz")
	if err != nil {
		return g
	}
	text, err := gunzip(packed)
	if err != nil {
		// It is part of the program.
		panic(fmt.Sprintf("reading the embedded schemas of %s: %v", group, err))
	}
	release := ""
	for line := range strings.Lines(text) {
		record := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 4)
		switch {
		case record[0] == "operator" && len(record) == 4:
			version, _, _ := strings.Cut(record[3], "\t")
			release = record[1] + " " + version
		case record[0] == "shared" && len(record) == 3:
			g.texts[record[1]] = record[2]
		case record[0] == "custom" && len(record) == 4:
			g.add(groupKind{group, record[1]}, release, record[2], record[3])
		}
	}
	return g
}

func gunzip(packed []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

func (g *carriedGroup) add(kind groupKind, release, version, schema string) {
	d := g.kinds[kind.kind]
	if d == nil {
		d = &Definition{Group: kind.group, Kind: kind.kind, release: release}
		g.kinds[kind.kind] = d
	}
	d.versions = append(d.versions, &servedVersion{name: version, decode: func() (*node, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.decode(schema)
	}})
}

// decode reads a schema, and puts those that it shares with others in the
// places of the references to them.
func (g *carriedGroup) decode(text string) (*node, error) {
	n, err := decodeNode([]byte(text))
	if err != nil {
		return nil, err
	}
	return g.joined(n), nil
}

func (g *carriedGroup) joined(n *node) *node {
	if n.Ref == "" {
		n.replace(g.joined)
		return n
	}
	shared, ok := g.nodes[n.Ref]
	if !ok {
		var err error
		if shared, err = g.decode(g.texts[n.Ref]); err != nil {
			// What does not decode is caught by the test that reads all of them.
			shared = &node{Preserve: true}
		}
		g.nodes[n.Ref] = shared
	}
	return shared
}
