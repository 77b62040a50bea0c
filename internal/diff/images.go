package diff

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"hearth/internal/domain"
	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/rule/images"
)

// Image is an image that would run.
type Image struct {
	// Reference is the image as the cluster would pull it.
	Reference string
	// Object names it: a workload, a custom object, or a release whose objects
	// are not known.
	Object domain.Ref
	Place  domain.Place
}

// namedImage is an image as the tree names it.
type namedImage struct {
	images.Image
	place domain.Place
}

// reference is the image in one piece.
func (n namedImage) reference() string {
	text := n.Repository
	if n.Tag != "" {
		text += ":" + n.Tag
	}
	if n.Digest != "" {
		text += "@" + n.Digest
	}
	return text
}

// imagesByOwner returns the images that the tree names, by the object that
// names them.
func imagesByOwner(s *desired.State) map[domain.Ref][]namedImage {
	byOwner := map[domain.Ref][]namedImage{}
	for _, i := range images.Of(s) {
		if i.Repository != "" {
			byOwner[i.Object.Ref] = append(byOwner[i.Object.Ref], namedImage{i, i.Place()})
		}
	}
	return byOwner
}

// podImages returns the images of the pods that an object makes.
func (t *taking) podImages(u *Unit, o *desired.Object, p graph.PodSpec) []Image {
	var list []Image
	add := func(field string, i int, reference string) {
		if reference == "" {
			return
		}
		place := o.Place(append(slices.Clip(p.Path), field, strconv.Itoa(i), "image")...)
		for _, n := range t.imagesOf[u.Of] {
			if n.reference() == reference {
				place = n.place
			}
		}
		list = append(list, Image{t.state.NamedText(reference), o.Ref, place})
	}
	for i, c := range p.Spec.InitContainers {
		add("initContainers", i, c.Image)
	}
	for i, c := range p.Spec.Containers {
		add("containers", i, c.Image)
	}
	return list
}

// images adds what pods do not show: the images of custom objects, and those of
// releases whose objects are not known, or not finely.
func (t *taking) images() {
	for _, u := range t.units {
		var owners []*desired.Object
		for _, i := range u.Items {
			if i.object != nil && i.object.Release == nil && len(graph.PodSpecs(i.object)) == 0 {
				owners = append(owners, i.object)
			}
		}
		for _, o := range owners {
			if o.GetKind() == "HelmRelease" {
				continue
			}
			for _, n := range t.imagesOf[o.Ref] {
				u.Images = append(u.Images, Image{t.state.NamedText(n.reference()), o.Ref, n.place})
			}
		}
		if u.Chart != "" && len(u.Images) == 0 {
			for _, n := range t.imagesOf[u.Of] {
				u.Images = append(u.Images, Image{t.state.NamedText(n.reference()), u.Of, n.place})
			}
		}
		slices.SortFunc(u.Images, func(a, b Image) int {
			return cmp.Or(strings.Compare(a.Reference, b.Reference), a.Object.Compare(b.Object), strings.Compare(a.Place.String(), b.Place.String()))
		})
		u.Images = slices.Compact(u.Images)
	}
}
