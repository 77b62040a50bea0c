package desired

import (
	"context"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"hearth/internal/domain"
	"hearth/internal/render"
	"hearth/internal/render/kept"
	"hearth/internal/render/kustomize"
	"hearth/internal/repo"
	"hearth/internal/source"
)

// maxKustomizations bounds how many Kustomizations one cluster may have.
const maxKustomizations = 20_000

// Options say what is at hand.
type Options struct {
	// Charts fetches charts; nil means that none is at hand.
	Charts *source.Charts
	// Builds keeps what Kustomizations build; nil means that nothing is kept.
	Builds *kept.Builds
	// Skip, where it is set, is asked before a release is rendered whose chart
	// is at hand: one that it reports stays without objects.
	Skip func(r *Release) bool
}

// builder is a state that is being computed.
type builder struct {
	*State
	ctx     context.Context
	options Options
	// pending are Kustomizations that were found and are not built yet.
	pending []*Kustomization
	known   map[render.Key]bool
}

// Build computes what a cluster should hold. Its error is that of ctx, or says
// that the tree has too many Kustomizations; all else is told where it belongs.
func Build(ctx context.Context, r *repo.Repository, c *repo.Cluster, o Options) (*State, error) {
	b := &builder{
		State:   &State{Repository: r, Cluster: c, origins: newFiles(r), byKey: map[render.Key][]*Object{}},
		ctx:     ctx,
		options: o,
		known:   map[render.Key]bool{},
	}
	b.reachedFiles = sync.OnceValue(b.State.readFiles)
	b.bootstrap()
	b.enter()
	for len(b.pending) > 0 {
		if err := b.round(); err != nil {
			return nil, err
		}
	}
	b.order()
	if err := b.releases(); err != nil {
		return nil, err
	}
	b.sortKinds()
	return b.State, ctx.Err()
}

// enter adds the entry's source and root Kustomization.
func (b *builder) enter() {
	entry := b.Cluster.Entry
	for _, content := range entry.Objects() {
		obj := &Object{
			Unstructured: content, Ref: refOf(content), Bootstrap: true, state: b.State,
			origin: render.Origin{Root: b.Repository.Root, File: entry.Place.File, Line: entry.Place.Line},
		}
		b.add(obj)
		if content.GetKind() == kustomizev1.KustomizationKind {
			b.find(obj, nil)
		}
	}
}

// add keeps an object of the state.
func (b *builder) add(o *Object) {
	b.Objects = append(b.Objects, o)
	key := render.KeyOf(o.Unstructured)
	b.byKey[key] = append(b.byKey[key], o)
}

// find notes a Kustomization to build. The first of a name counts.
func (b *builder) find(o *Object, parent *Kustomization) {
	key := render.KeyOf(o.Unstructured)
	if b.known[key] {
		return
	}
	b.known[key] = true
	k := &Kustomization{Kustomization: &kustomizev1.Kustomization{}, Object: o, Parent: parent}
	if err := read(o.Object, k.Kustomization); err != nil {
		k.Kustomization.Name, k.Kustomization.Namespace = o.GetName(), o.GetNamespace()
		k.Err = fmt.Errorf("read Kustomization %s/%s: %w", o.GetNamespace(), o.GetName(), err)
	}
	b.pending = append(b.pending, k)
}

// round builds the Kustomizations whose variables are known, or all that are
// left where none is.
func (b *builder) round() error {
	var ready, later []*Kustomization
	for _, k := range b.pending {
		if b.variablesKnown(k) {
			ready = append(ready, k)
		} else {
			later = append(later, k)
		}
	}
	if len(ready) == 0 {
		ready, later = later, nil
	}
	b.pending = later
	if len(b.Kustomizations)+len(ready) > maxKustomizations {
		return fmt.Errorf("computing what cluster %s should hold: the tree has more than %d Kustomizations", b.Cluster.Name, maxKustomizations)
	}
	results := make([]*kustomize.Result, len(ready))
	group, ctx := errgroup.WithContext(b.ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, k := range ready {
		group.Go(func() error {
			results[i] = b.build(ctx, k)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, k := range ready {
		b.Kustomizations = append(b.Kustomizations, k)
		b.take(k, results[i])
	}
	return nil
}

// build runs kustomize for one Kustomization; nil where it cannot.
func (b *builder) build(ctx context.Context, k *Kustomization) *kustomize.Result {
	if k.Err != nil {
		return nil
	}
	if k.Foreign = !b.ownSource(k); k.Foreign {
		return nil
	}
	k.Path = strings.TrimPrefix(path.Clean("/"+k.Spec.Path), "/")
	variables := b.variables(k)
	result, err := b.options.Builds.Build(ctx, b.Repository, kustomize.Request{
		Root: b.Repository.Root, Path: k.Spec.Path, Kustomization: k.Object.Unstructured,
		Variables: variables.known,
		Always:    k.GetSubstituteStrategy() == kustomizev1.SubstituteStrategyAlways,
		Offline:   true,
		Unknown:   placeholder,
		Parsed:    b.Repository.Parsed,
	})
	if err != nil {
		k.Err = err
		return nil
	}
	k.Read, k.unknown = result.Read, result.Unknown
	if !variables.open {
		k.Undefined = make([]Undefined, 0, len(result.Unknown))
		for _, u := range result.Unknown {
			k.Undefined = append(k.Undefined, Undefined{Name: u.Name, Object: refAt(result.Objects, u.Object)})
		}
	}
	return result
}

func refAt(objects []*unstructured.Unstructured, i int) domain.Ref {
	if i >= len(objects) {
		return domain.Ref{}
	}
	return refOf(objects[i])
}

// take adds what a Kustomization applies.
func (b *builder) take(k *Kustomization, built *kustomize.Result) {
	if built == nil {
		return
	}
	for i, content := range built.Objects {
		o := &Object{Unstructured: content, Ref: refOf(content), Kustomization: k, origin: built.Origins[i], state: b.State}
		k.Objects = append(k.Objects, o)
		b.add(o)
		if isFluxKustomization(content) && k.Spec.KubeConfig == nil {
			b.find(o, k)
		}
	}
	for i := range k.Undefined {
		k.Undefined[i].Place = b.use(k, k.Undefined[i])
	}
}

// use finds where a variable is used.
func (b *builder) use(k *Kustomization, u Undefined) domain.Place {
	for _, o := range k.Objects {
		if o.Ref == u.Object {
			return o.mention("${" + u.Name)
		}
	}
	return domain.Place{}
}

// ownSource reports whether a Kustomization is built from this repository: its
// source is the entry's, or has the same URL, or is not in the tree at all.
func (b *builder) ownSource(k *Kustomization) bool {
	ref := k.Spec.SourceRef
	namespace := ref.Namespace
	if namespace == "" {
		namespace = k.Namespace
	}
	found := b.Find("source.toolkit.fluxcd.io", ref.Kind, namespace, ref.Name)
	if found == nil {
		return ref.Kind == b.Cluster.Entry.Kind
	}
	if found.Bootstrap && found.Kustomization == nil {
		return true
	}
	url, _, _ := unstructured.NestedString(found.Object, "spec", "url")
	return sameURL(url, b.Cluster.Entry.URL)
}

// sameURL compares the addresses of repositories, whatever the protocol.
func sameURL(a, b string) bool { return a != "" && bareURL(a) == bareURL(b) }

func bareURL(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	if _, rest, ok := strings.Cut(url, "@"); ok {
		url = strings.Replace(rest, ":", "/", 1)
	}
	return strings.TrimSuffix(strings.TrimRight(strings.ToLower(url), "/"), ".git")
}

// order sorts Kustomizations so that children follow their parents.
func (b *builder) order() {
	children := map[*Kustomization][]*Kustomization{}
	for _, k := range b.Kustomizations {
		children[k.Parent] = append(children[k.Parent], k)
	}
	b.Kustomizations = b.Kustomizations[:0]
	var visit func(parent *Kustomization)
	visit = func(parent *Kustomization) {
		below := children[parent]
		slices.SortStableFunc(below, func(x, y *Kustomization) int { return x.Object.Ref.Compare(y.Object.Ref) })
		for _, k := range below {
			b.Kustomizations = append(b.Kustomizations, k)
			visit(k)
		}
	}
	visit(nil)
}

func isFluxKustomization(o *unstructured.Unstructured) bool {
	return o.GetKind() == kustomizev1.KustomizationKind && o.GroupVersionKind().Group == kustomizev1.GroupVersion.Group
}

func refOf(o *unstructured.Unstructured) domain.Ref {
	return domain.Ref{Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()}
}
