// Package desired computes what a cluster should hold if Flux applied its tree:
// starting at the entry it builds each Kustomization as its parent's build,
// patches and substitution leave it, finds the Kustomizations and HelmReleases
// in the result, and renders the charts that are at hand. No cluster is needed.
//
// It promises that every object, and every field of one, is mapped back to the
// file and line that its value comes from. What cannot be built is told in
// [Kustomization.Err] and [Release.Err], and never keeps the rest from being
// built. What Flux or a vault would know only at run time is replaced by a
// placeholder; see [State.Unknown].
//
// Judging the result is left to package rule, and what depends on what to
// package graph.
package desired

import (
	"sync"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/domain"
	"hearth/internal/render"
	"hearth/internal/render/helm"
	"hearth/internal/render/kustomize"
	"hearth/internal/repo"
)

// State is what one cluster should hold. It is read-only; all methods may be
// called concurrently.
type State struct {
	Repository *repo.Repository
	Cluster    *repo.Cluster
	// Kustomizations in the order they are found: parents before children, the
	// root first.
	Kustomizations []*Kustomization
	// Releases are ordered by namespace and name.
	Releases []*Release
	// Objects are those that stand in Git or that kustomize generates: what
	// bootstrap and the Kustomizations apply, in order of application. What
	// charts make is in [Release.Objects].
	Objects []*Object

	origins       *files
	byKey         map[render.Key][]*Object
	byKind        map[schema.GroupKind][]*Object
	rendered      []*Object
	bootstrapRead []string
	reachedFiles  func() map[string]bool
	named         sync.Once
	placeholders  names
}

// Kustomization is a Flux Kustomization and what it builds.
type Kustomization struct {
	*kustomizev1.Kustomization
	// Object is the Kustomization as its parent applies it; the root's stands
	// in no file of the repository, mostly.
	Object *Object
	// Parent applies it; nil for the root.
	Parent *Kustomization
	// Path is the folder that is built, below the repository's root; "" where
	// its source is not this repository.
	Path string
	// Foreign says that its source is another repository or artifact, so that
	// what it applies is not known.
	Foreign bool
	// Objects are what it applies; empty where the build failed.
	Objects []*Object
	// Read are the files that its build read, below the repository's root.
	Read []string
	// Undefined are the variables that the objects use and nothing defines.
	Undefined []Undefined
	// Err tells why it cannot be built; nil where it can.
	Err error

	// unknown are the variables that stand in its objects as placeholders.
	unknown []kustomize.Unknown
}

// Undefined is the use of a variable that nothing defines and that has no
// default.
type Undefined struct {
	Name   string
	Object domain.Ref
	Place  domain.Place
}

// Release is a HelmRelease, its chart and what it renders.
type Release struct {
	*helmv2.HelmRelease
	Object *Object
	// ReleaseName and ReleaseNamespace are Helm's.
	ReleaseName, ReleaseNamespace string
	// Source is the object that the chart comes from: an OCIRepository, a
	// HelmRepository or another; nil where the reference leads nowhere.
	Source *Object
	// ChartURL, ChartName and ChartVersion say which chart is wanted, as
	// package source names it.
	ChartURL, ChartName, ChartVersion string
	// Chart is nil where it is not at hand; NotAtHand then says why.
	Chart     *helm.Chart
	NotAtHand string
	// StandIn says that a chart of Hearth plays it: what it renders is good for
	// telling which objects exist, and nothing finer.
	StandIn bool
	// Values are the release's, those of ConfigMaps and Secrets in the tree
	// merged in.
	Values map[string]any
	// Objects are what the chart renders; hooks among them.
	Objects []*Object
	// Inputs names all that its rendering depends on, so that two releases of
	// one name and equal inputs make the same; "" where that is not known.
	Inputs string
	// Err tells why it cannot be rendered; nil where it can, or where the chart
	// is not at hand.
	Err error

	chartDigest string // of the chart's content; "" where it is not known
}

// Object is one object that the cluster should hold.
type Object struct {
	*unstructured.Unstructured
	Ref domain.Ref
	// Kustomization applies it; nil for what bootstrap does.
	Kustomization *Kustomization
	// Release renders it; nil for what stands in Git.
	Release *Release
	// Bootstrap says that it is there before Flux runs.
	Bootstrap bool

	gvk    schema.GroupVersionKind // once the state is computed
	origin render.Origin
	state  *State
}
