package diagnose

import (
	"os"

	"hearth/internal/domain"
	"hearth/internal/manifest"
	"hearth/internal/render"
)

// Index looks places up in the index that the reconcilers keep beside what
// they apply.
type Index struct{ *render.Index }

// Place implements [Places].
func (x Index) Place(key Key, field ...string) domain.Place { return x.Index.Place(key, field...) }

// Mention implements [Places].
func (x Index) Mention(key Key, text string) domain.Place {
	origin, ok := x.Origin(key)
	if !ok {
		return domain.Place{}
	}
	root, err := os.OpenRoot(origin.Root)
	if err != nil {
		return domain.Place{}
	}
	defer root.Close()
	data, err := manifest.Read(root, origin.File)
	if err != nil {
		return domain.Place{}
	}
	docs, _ := manifest.Parse(origin.File, data) // what is broken was reported when it was built
	doc, _ := origin.In(docs, key)
	return mention(doc, text)
}

// Bringer implements [Places]; the index does not tell.
func (x Index) Bringer(Key) (Key, bool) { return Key{}, false }

// Definers implements [Places]; the index does not tell.
func (x Index) Definers(string, string) []Key { return nil }
