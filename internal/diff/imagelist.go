package diff

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"hearth/internal/domain"
)

// ImageList is the images of an application.
type ImageList struct {
	Of     domain.Ref
	Images []UsedImage
}

// UsedImage is an image that an application runs, or no longer does.
type UsedImage struct {
	// Kind is "" where nothing is compared.
	Kind Kind
	Image
	// Chart is that of the release that brings it; "" where none does.
	Chart string
}

// Images lists the images of every application, each once for the object that
// names it.
func Images(s *Snapshot) []ImageList { return listed(s, "", nil) }

// ImageChanges lists the images that come to an application or go.
func ImageChanges(before, after *Snapshot) []ImageList {
	pair(before, after)
	lists := map[domain.Ref]*ImageList{}
	for _, l := range slices.Concat(listed(before, Removed, usedBy(after)), listed(after, Added, usedBy(before))) {
		if lists[l.Of] == nil {
			lists[l.Of] = &ImageList{Of: l.Of}
		}
		lists[l.Of].Images = append(lists[l.Of].Images, l.Images...)
	}
	var all []ImageList
	for _, of := range slices.SortedFunc(maps.Keys(lists), compareApps) {
		all = append(all, *lists[of])
	}
	return all
}

func compareApps(a, b domain.Ref) int {
	return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name), strings.Compare(a.Kind, b.Kind))
}

// usedBy returns the references that each application uses.
func usedBy(s *Snapshot) map[domain.Ref]map[string]bool {
	used := map[domain.Ref]map[string]bool{}
	for _, u := range s.Units {
		for _, i := range u.Images {
			if used[u.App] == nil {
				used[u.App] = map[string]bool{}
			}
			used[u.App][i.Reference] = true
		}
	}
	return used
}

// listed returns the images of a snapshot, without those that an application
// uses on the other side, too.
func listed(s *Snapshot, kind Kind, other map[domain.Ref]map[string]bool) []ImageList {
	byApp := map[domain.Ref][]UsedImage{}
	for _, u := range s.Units {
		if u.otherMissing {
			continue // whether the other tree has it is not known
		}
		for _, i := range u.Images {
			if !other[u.App][i.Reference] {
				byApp[u.App] = append(byApp[u.App], UsedImage{kind, i, u.Chart})
			}
		}
	}
	var lists []ImageList
	for _, of := range slices.SortedFunc(maps.Keys(byApp), compareApps) {
		list := byApp[of]
		slices.SortStableFunc(list, func(a, b UsedImage) int {
			return cmp.Or(strings.Compare(a.Reference, b.Reference), a.Object.Compare(b.Object))
		})
		lists = append(lists, ImageList{of, slices.Compact(list)})
	}
	return lists
}

// WriteImages writes lists of images for people.
func WriteImages(out io.Writer, lists []ImageList, colours bool) error {
	w, c := &writer{w: out}, colour(colours)
	images := map[string]bool{}
	for _, l := range lists {
		w.printf("%s\n", c.paint("1", clean((&Application{Of: l.Of}).title())))
		for _, i := range l.Images {
			images[i.Reference] = true
			sign := ""
			if i.Kind != "" {
				sign = c.paint(codes[signs[i.Kind]], signs[i.Kind]) + " "
			}
			chart := ""
			if i.Chart != "" {
				chart = ", chart " + i.Chart
			}
			w.printf("  %s%s\n    %s\n", sign, clean(i.Reference), c.paint("2", clean(fmt.Sprintf("%s%s  %s", i.Object, chart, i.Place))))
		}
	}
	w.printf("%d %s in %d %s\n", len(images), plural(len(images), "image", "images"), len(lists), plural(len(lists), "application", "applications"))
	return w.err
}

type jsonImages struct {
	Namespace string      `json:"namespace,omitempty"`
	Name      string      `json:"name"`
	Images    []jsonImage `json:"images"`
}

type jsonImage struct {
	Change Kind   `json:"change,omitempty"`
	Image  string `json:"image"`
	Object string `json:"object"`
	Chart  string `json:"chart,omitempty"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
}

// WriteImagesJSON writes lists of images as JSON.
func WriteImagesJSON(out io.Writer, lists []ImageList) error {
	all := []jsonImages{}
	for _, l := range lists {
		j := jsonImages{Namespace: l.Of.Namespace, Name: nameOf(l.Of)}
		for _, i := range l.Images {
			j.Images = append(j.Images, jsonImage{i.Kind, i.Reference, i.Object.String(), i.Chart, i.Place.File, i.Place.Line})
		}
		all = append(all, j)
	}
	return encode(out, all)
}
