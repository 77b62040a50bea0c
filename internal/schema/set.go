package schema

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Set is the schemas of many kinds. It is read-only and may be used
// concurrently.
type Set struct {
	archive *archive
	// custom are the definitions at hand, several for one kind where charts
	// of more than one version bring it.
	custom map[groupKind][]*Definition
}

// Options say how objects are validated. The zero value is fine.
type Options struct {
	// Unknown reports that a text stands for a value that nobody knows. It is
	// taken to be valid wherever it stands. Nil knows every text.
	Unknown func(text string) bool
	// Kubernetes is the version of the cluster, such as v1.34.1. An API version
	// that it still serves is no problem. Empty means the embedded version.
	Kubernetes string
}

// Embedded returns the schemas of Kubernetes, of the custom kinds that Hearth
// brings along and of those of the operators whose definitions it carries.
func Embedded() *Set { return &Set{archive: embedded()} }

// With returns a set that knows these definitions, too. They count instead of
// embedded ones of the same kind. Where several are of the same kind, an object
// is valid that any of them admits.
func (s *Set) With(definitions ...*Definition) *Set {
	with := &Set{archive: s.archive, custom: map[groupKind][]*Definition{}}
	for kind, list := range s.custom {
		with.custom[kind] = slices.Clip(list)
	}
	for _, d := range definitions {
		if d != nil {
			kind := groupKind{d.Group, d.Kind}
			with.custom[kind] = append(with.custom[kind], d)
		}
	}
	return with
}

// Validate returns why the API server would refuse an object, always in the
// same order. Known is false where nobody has a schema of its kind.
func (s *Set) Validate(obj *unstructured.Unstructured, o Options) (problems []Problem, known bool) {
	apiVersion, _ := obj.Object["apiVersion"].(string)
	kind, _ := obj.Object["kind"].(string)
	if root := s.archive.builtIn(apiVersion, kind); root != nil {
		return s.check(obj.Object, root, true, o), true
	}
	group, version := splitVersion(apiVersion)
	definitions := s.definitions(group, kind)
	if len(definitions) == 0 {
		return s.unserved(apiVersion, kind, o)
	}
	best := -1
	for _, d := range definitions {
		found := s.against(obj.Object, d, version, o)
		if best < 0 || len(found) < best {
			problems, best = found, len(found)
		}
	}
	return problems, true
}

// definitions returns the definitions of a custom kind that count.
func (s *Set) definitions(group, kind string) []*Definition {
	if list := s.custom[groupKind{group, kind}]; len(list) > 0 {
		return list
	}
	if d := s.archive.custom[groupKind{group, kind}]; d != nil {
		return []*Definition{d}
	}
	if d := s.archive.carried(groupKind{group, kind}); d != nil {
		return []*Definition{d}
	}
	return nil
}

// against holds an object against one definition of its kind.
func (s *Set) against(obj map[string]any, d *Definition, version string, o Options) []Problem {
	v := d.version(version)
	if v == nil {
		return []Problem{unservedVersion(d, version)}
	}
	root := v.schema()
	if root == nil {
		return nil
	}
	problems := s.check(obj, root, false, o)
	for i := range problems {
		problems[i].Release = d.release
	}
	return problems
}

func (s *Set) check(obj map[string]any, root *node, builtIn bool, o Options) []Problem {
	c := &check{archive: s.archive, builtIn: builtIn, unknown: o.Unknown, secret: obj["kind"] == "Secret", preserved: root.Preserve}
	c.object(obj, root, wholeObject)
	return c.problems
}
