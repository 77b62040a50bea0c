package schema

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/version"
)

//go:generate go run generate.go generate_enums.go generate_custom.go

//go:embed schemas.gz
var packed []byte

// archive is the embedded schemas: an index of texts, decoded on demand.
type archive struct {
	// kinds maps "apps/v1 Deployment" to the name of its definition.
	kinds map[string]string
	// groups maps a group of Kubernetes to its versions and their kinds.
	groups map[string][]servedKind
	// texts are the definitions that are not decoded yet.
	texts  map[string]string
	custom map[groupKind]*Definition

	mu    sync.Mutex
	nodes map[string]*node
	// operators are the carried definitions, by API group, of those asked for.
	operators map[string]*carriedGroup
}

type groupKind struct{ group, kind string }

// servedKind is a kind in one version of its group.
type servedKind struct{ apiVersion, kind string }

// embedded is the archive, unpacked once.
var embedded = sync.OnceValue(unpack)

func unpack() *archive {
	text, err := gunzip(packed)
	if err != nil {
		// It is part of the program.
		panic(fmt.Sprintf("reading the embedded schemas: %v", err))
	}
	return readArchive(text)
}

func readArchive(text string) *archive {
	a := &archive{
		kinds: map[string]string{}, groups: map[string][]servedKind{}, texts: map[string]string{},
		custom: map[groupKind]*Definition{}, nodes: map[string]*node{}, operators: map[string]*carriedGroup{},
	}
	for line := range strings.Lines(text) {
		record := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 5)
		switch {
		case record[0] == "kind" && len(record) == 4:
			apiVersion, kind := record[1], record[2]
			group, _ := splitVersion(apiVersion)
			a.kinds[apiVersion+" "+kind] = record[3]
			a.groups[group] = append(a.groups[group], servedKind{apiVersion, kind})
		case record[0] == "definition" && len(record) == 3:
			a.texts[record[1]] = record[2]
		case record[0] == "custom" && len(record) == 5:
			a.addCustom(groupKind{record[1], record[2]}, record[3], record[4])
		}
	}
	return a
}

func (a *archive) addCustom(kind groupKind, version, schema string) {
	d := a.custom[kind]
	if d == nil {
		d = &Definition{Group: kind.group, Kind: kind.kind, supplied: true}
		a.custom[kind] = d
	}
	d.versions = append(d.versions, &servedVersion{name: version, decode: func() (*node, error) { return decodeNode([]byte(schema)) }})
}

// definition returns a definition of Kubernetes, or nil.
func (a *archive) definition(name string) *node {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n, ok := a.nodes[name]; ok {
		return n
	}
	var n *node
	if text, ok := a.texts[name]; ok {
		// What does not decode is caught by the test that reads all of them.
		n, _ = decodeNode([]byte(text))
	}
	a.nodes[name] = n
	return n
}

// builtIn returns the schema of a kind of Kubernetes, or nil.
func (a *archive) builtIn(apiVersion, kind string) *node {
	name, ok := a.kinds[apiVersion+" "+kind]
	if !ok {
		return nil
	}
	return a.definition(name)
}

// resolve follows a reference to the definition it stands for; nil where there
// is none.
func (a *archive) resolve(n *node) *node {
	if n == nil || n.Ref == "" {
		return n
	}
	if target := n.target.Load(); target != nil {
		return target
	}
	target := a.definition(strings.TrimPrefix(n.Ref, refPrefix))
	if target != nil {
		n.target.Store(target)
	}
	return target
}

const refPrefix = "#/components/schemas/"

// objectMeta is the definition of metadata.
const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// versionsOf returns the versions of a group that serve a kind, the newest
// stable first.
func (a *archive) versionsOf(group, kind string) []string {
	var list []string
	for _, s := range a.groups[group] {
		if s.kind == kind {
			list = append(list, s.apiVersion)
		}
	}
	newestFirst(list)
	return list
}

// newestFirst sorts versions of one group or of several: stable before beta
// before alpha, and the highest first.
func newestFirst(apiVersions []string) {
	slices.SortFunc(apiVersions, func(a, b string) int {
		groupA, versionA := splitVersion(a)
		groupB, versionB := splitVersion(b)
		return cmp.Or(version.CompareKubeAwareVersionStrings(versionB, versionA), strings.Compare(groupA, groupB))
	})
}

func splitVersion(apiVersion string) (group, version string) {
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		return "", apiVersion
	}
	return group, version
}
