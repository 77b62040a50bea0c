package render

import (
	"os"
	"strconv"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/manifest"
)

// Origin is the file that an object comes from.
type Origin struct {
	// Root is the folder of the artifact on disk.
	Root string
	// File is relative to Root and uses slashes. For a generated object it is
	// the kustomization that has the generator.
	File string
	// Line is where the document starts; 0 means that the object is looked up
	// in the file by its kind and name when its place is asked for.
	Line int
}

// Place returns where the object stands in the file, or one of its fields.
// Where the file cannot be read any more it is the file alone.
func (o Origin) Place(key Key, field ...string) domain.Place {
	known := domain.Place{File: o.File, Line: o.Line}
	if o.Line > 0 && len(field) == 0 || o.File == "" {
		return known
	}
	docs := o.documents()
	doc, prefix := find(docs, key, o.Line)
	if doc == nil {
		return known
	}
	if len(prefix) == 0 && len(field) == 0 {
		return domain.Place{File: o.File, Line: doc.Line}
	}
	return domain.Place{File: o.File, Line: doc.FieldLine(append(prefix, field...)...)}
}

// Mention returns the first line of the object that holds a text, else where
// the object stands.
func (o Origin) Mention(key Key, text string) domain.Place {
	if doc, _ := find(o.documents(), key, o.Line); doc != nil {
		if line := doc.MentionLine(func(line string) bool { return strings.Contains(line, text) }); line > 0 {
			return domain.Place{File: o.File, Line: line}
		}
	}
	return o.Place(key)
}

// In returns the document of the object among those of its file, and the path
// to it inside: a list's item, or a generator. It is nil where none fits.
func (o Origin) In(docs []*manifest.Document, key Key) (*manifest.Document, []string) {
	return find(docs, key, o.Line)
}

func (o Origin) documents() []*manifest.Document {
	root, err := os.OpenRoot(o.Root)
	if err != nil {
		return nil
	}
	defer root.Close()
	data, err := manifest.Read(root, o.File)
	if err != nil {
		return nil
	}
	// What is broken was reported when the file was built.
	docs, _ := manifest.Parse(o.File, data)
	return docs
}

// find returns the document of an object, and the path to it inside: a list's
// item, or a generator. Kustomize may have changed the name, so that the one
// most alike counts where none is equal.
func find(docs []*manifest.Document, key Key, line int) (*manifest.Document, []string) {
	var best *manifest.Document
	var path []string
	score := -1
	consider := func(doc *manifest.Document, at []string, s int) {
		if s > score {
			best, path, score = doc, at, s
		}
	}
	for _, doc := range docs {
		if line > 0 {
			if doc.Line == line {
				return doc, nil
			}
			continue
		}
		if doc.Kind() == key.Kind && doc.Group() == key.Group {
			consider(doc, nil, likeness(doc.Name(), key.Name))
		}
		eachItem(doc, []string{"items"}, func(item []string) {
			if doc.Text(append(item, "kind")...) == key.Kind {
				consider(doc, item, likeness(doc.Text(append(item, "metadata", "name")...), key.Name))
			}
		})
		if generator := generators[key.Kind]; generator != "" && doc.Kind() != key.Kind {
			eachItem(doc, []string{generator}, func(item []string) {
				if s := likeness(doc.Text(append(item, "name")...), key.Name); s > 0 {
					consider(doc, item, s)
				}
			})
		}
	}
	return best, path
}

// generators are the fields of a kustomization that make objects of a kind.
var generators = map[string]string{"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}

func eachItem(doc *manifest.Document, list []string, f func(path []string)) {
	for i := 0; ; i++ {
		item := append(list[:len(list):len(list)], strconv.Itoa(i))
		if _, ok := doc.Find(item...); !ok {
			return
		}
		f(item[:len(item):len(item)])
	}
}

// likeness is how well a name as written fits the name that was built of it.
func likeness(written, built string) int {
	switch {
	case written == built:
		return 1 << 16
	case written != "" && strings.Contains(built, written):
		return len(written)
	}
	return 0
}
