package desired

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v4/pkg/chart/common"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/render"
	"hearth/internal/render/helm"
	"hearth/internal/render/helm/postrender"
	"hearth/internal/render/kept"
	"hearth/internal/source"
)

// defaultKubernetesVersion is what charts are rendered for where the
// repository does not say which version its clusters run.
const defaultKubernetesVersion = "v1.37.0"

// releases reads the HelmReleases and renders those whose chart is at hand.
func (b *builder) releases() error {
	for _, o := range b.Objects {
		if o.GetKind() == helmv2.HelmReleaseKind && o.GroupVersionKind().Group == helmv2.GroupVersion.Group && b.Find(helmv2.GroupVersion.Group, helmv2.HelmReleaseKind, o.GetNamespace(), o.GetName()) == o {
			b.Releases = append(b.Releases, b.release(o))
		}
	}
	slices.SortStableFunc(b.Releases, func(x, y *Release) int { return x.Object.Ref.Compare(y.Object.Ref) })
	capabilities := b.capabilities()
	var loaded helm.Charts
	var presses helm.Presses
	defer presses.Close()
	shelf := b.shelf()
	group, ctx := errgroup.WithContext(b.ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, r := range b.Releases {
		group.Go(func() error {
			b.render(ctx, r, &loaded, &presses, shelf, capabilities)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, r := range b.Releases {
		for _, o := range r.Objects {
			b.rendered = append(b.rendered, o)
			key := render.KeyOf(o.Unstructured)
			b.byKey[key] = append(b.byKey[key], o)
		}
	}
	return nil
}

// shelf keeps what charts render beside what Kustomizations build.
func (b *builder) shelf() *helm.Shelf {
	if b.options.Builds == nil || b.options.Builds.Store == nil {
		return nil
	}
	return &helm.Shelf{Store: b.options.Builds.Store, Program: kept.Program()}
}

// release reads one HelmRelease.
func (b *builder) release(o *Object) *Release {
	r := &Release{HelmRelease: &helmv2.HelmRelease{}, Object: o}
	if err := read(o.Object, r.HelmRelease); err != nil {
		r.HelmRelease.Name, r.HelmRelease.Namespace = o.GetName(), o.GetNamespace()
		r.Err = fmt.Errorf("read HelmRelease %s/%s: %w", o.GetNamespace(), o.GetName(), err)
		return r
	}
	r.ReleaseName = r.HelmRelease.GetReleaseName()
	r.ReleaseNamespace = r.HelmRelease.GetReleaseNamespace()
	r.Values, r.Err = b.compose(r)
	return r
}

// compose merges a release's values. What a Secret would supply is not known,
// and left out.
func (b *builder) compose(r *Release) (map[string]any, error) {
	own := ownValues(r)
	values, err := helm.Compose(b.ctx, own, r.Spec.ValuesFrom, func(_ context.Context, kind, name string) (map[string][]byte, error) {
		missing := apierrors.NewNotFound(schema.GroupResource{Resource: strings.ToLower(kind)}, name)
		o := b.Find("", kind, r.Namespace, name)
		if o == nil || kind != "ConfigMap" {
			return nil, missing
		}
		data := map[string][]byte{}
		content, _ := value(o.Object, []string{"data"})
		entries, _ := content.(map[string]any)
		for key, text := range entries {
			data[key] = []byte(fmt.Sprint(text))
		}
		return data, nil
	})
	if err == nil {
		return values.Map, nil
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		// Only what the tree does not hold is missing.
		return own, nil
	}
	return own, err
}

// ownValues reads the values that a HelmRelease spells out. They are JSON, and
// need no YAML parser.
func ownValues(r *Release) map[string]any {
	var values map[string]any
	if r.Spec.Values == nil || json.Unmarshal(r.Spec.Values.Raw, &values) != nil {
		return r.GetValues()
	}
	return values
}

// render fetches a release's chart and renders it.
func (b *builder) render(ctx context.Context, r *Release, loaded *helm.Charts, presses *helm.Presses, shelf *helm.Shelf, capabilities *common.Capabilities) {
	request, err := b.request(r)
	if err != nil {
		r.NotAtHand = err.Error()
		return
	}
	r.ChartURL, r.ChartName, r.ChartVersion = request.URL, cmp.Or(request.Name, path.Base(request.URL)), cmp.Or(request.Digest, request.SemVer, request.Version)
	if r.Err != nil {
		return
	}
	if !b.fetch(ctx, r, request, loaded) {
		return
	}
	r.Inputs = r.inputs(capabilities)
	if b.options.Skip != nil && b.options.Skip(r) {
		return
	}
	objects, err := helm.Render(ctx, helm.Request{
		Chart: r.Chart, Values: helm.Values{Map: r.Values},
		Name: r.ReleaseName, Namespace: r.ReleaseNamespace, Capabilities: capabilities, Presses: presses, Shelf: shelf,
		PostRender: postRender(r),
		// Values that Secrets supply are not there: the rule on values judges.
		SkipSchema: true,
	})
	if err != nil {
		r.Err = err
		return
	}
	for _, content := range objects {
		if content.GetNamespace() == "" && !clusterScoped(content.GroupVersionKind().GroupKind()) {
			content.SetNamespace(r.ReleaseNamespace)
		}
		r.Objects = append(r.Objects, &Object{
			Unstructured: content, Ref: refOf(content), Release: r, Kustomization: r.Object.Kustomization, state: b.State,
		})
	}
}

// postRender changes what the chart renders as the HelmRelease says.
func postRender(r *Release) helm.PostRender {
	p := postrender.New(r.HelmRelease, r.StandIn || r.Chart.Annotation(source.StandInAnnotation) != "")
	return helm.PostRender{Run: p.Objects, Strategy: r.GetPostRenderStrategy()}
}

// fetch brings the chart to hand, if it can.
func (b *builder) fetch(ctx context.Context, r *Release, request source.ChartRequest, loaded *helm.Charts) bool {
	var fetched *source.ChartResult
	var err error
	switch {
	case strings.HasPrefix(request.URL, "file:"):
		dir := filepath.Join(b.Repository.Root, filepath.FromSlash(strings.TrimPrefix(request.URL, "file:")))
		fetched = &source.ChartResult{Path: dir, Digest: dir}
		r.chartDigest = b.options.Builds.Folder(b.ctx, b.Repository, strings.TrimPrefix(request.URL, "file:"))
	case b.options.Charts == nil:
		r.NotAtHand = "no charts are fetched"
		return false
	default:
		if fetched, err = b.options.Charts.Fetch(ctx, request); err != nil {
			r.NotAtHand = err.Error()
			return false
		}
		r.chartDigest = fetched.Digest
	}
	chart, err := loaded.Load(ctx, fetched.Path, fetched.Digest)
	switch {
	case err != nil:
		r.NotAtHand = err.Error()
	case fetched.Assumed && fetched.PlayedBy != r.ChartName:
		// It would make objects that the real chart does not.
		r.NotAtHand = fmt.Sprintf("the chart %s %s is not in the cache", r.ChartName, r.ChartVersion)
	default:
		r.Chart, r.StandIn = chart, fetched.PlayedBy != ""
	}
	return r.Chart != nil
}

// inputs names all that the rendering of a release depends on; "" where that
// cannot be told.
func (r *Release) inputs(capabilities *common.Capabilities) string {
	values, err := json.Marshal(r.Values)
	if err != nil || r.chartDigest == "" {
		return ""
	}
	changes, err := json.Marshal([]any{r.Spec.PostRenderers, r.Spec.PostRenderStrategy, r.Spec.CommonMetadata})
	if err != nil {
		return ""
	}
	return kept.Digest(r.ChartURL, r.ChartName, r.ChartVersion, r.chartDigest, r.Namespace, r.Name, r.ReleaseName, r.ReleaseNamespace,
		string(values), string(changes), capabilities.KubeVersion.String(), strings.Join(capabilities.APIVersions, " "))
}

// request says which chart a release wants.
func (b *builder) request(r *Release) (source.ChartRequest, error) {
	if ref := r.Spec.ChartRef; ref != nil {
		return b.referenced(r, sourcev1.GroupVersion.Group, ref.Kind, cmp.Or(ref.Namespace, r.Namespace), ref.Name)
	}
	if r.Spec.Chart == nil {
		return source.ChartRequest{}, errors.New("it names no chart")
	}
	spec := r.Spec.Chart.Spec
	return b.named(r, spec.SourceRef.Kind, cmp.Or(spec.SourceRef.Namespace, r.Namespace), spec.SourceRef.Name, spec.Chart, spec.Version)
}

// referenced follows a chartRef.
func (b *builder) referenced(r *Release, group, kind, namespace, name string) (source.ChartRequest, error) {
	r.Source = b.Find(group, kind, namespace, name)
	if r.Source == nil {
		return source.ChartRequest{}, fmt.Errorf("%s %s/%s is not in the tree", kind, namespace, name)
	}
	switch kind {
	case sourcev1.OCIRepositoryKind:
		var obj sourcev1.OCIRepository
		if err := read(r.Source.Object, &obj); err != nil {
			return source.ChartRequest{}, fmt.Errorf("read %s: %w", r.Source.Ref, err)
		}
		request := source.ChartRequest{URL: obj.Spec.URL, Insecure: obj.Spec.Insecure, Layer: obj.GetLayerMediaType()}
		if ref := obj.Spec.Reference; ref != nil {
			request.Version, request.Digest, request.SemVer, request.SemVerFilter = ref.Tag, ref.Digest, ref.SemVer, ref.SemverFilter
		}
		return request, nil
	case sourcev1.HelmChartKind:
		var obj sourcev1.HelmChart
		if err := read(r.Source.Object, &obj); err != nil {
			return source.ChartRequest{}, fmt.Errorf("read %s: %w", r.Source.Ref, err)
		}
		return b.named(r, obj.Spec.SourceRef.Kind, namespace, obj.Spec.SourceRef.Name, obj.Spec.Chart, obj.Spec.Version)
	}
	return source.ChartRequest{}, fmt.Errorf("charts from a %s cannot be had without a cluster", kind)
}

// named finds a chart by its name in a source.
func (b *builder) named(r *Release, kind, namespace, name, chart, version string) (source.ChartRequest, error) {
	from := b.Find(sourcev1.GroupVersion.Group, kind, namespace, name)
	if r.Source == nil {
		r.Source = from
	}
	if from == nil {
		return source.ChartRequest{}, fmt.Errorf("%s %s/%s is not in the tree", kind, namespace, name)
	}
	switch kind {
	case sourcev1.HelmRepositoryKind:
		url, _ := value(from.Object, []string{"spec", "url"})
		request := source.ChartRequest{URL: strings.TrimRight(fmt.Sprint(url), "/")}
		if !strings.HasPrefix(request.URL, "oci://") {
			request.Name, request.Version = chart, strings.TrimPrefix(version, "*")
			return request, nil
		}
		request.URL, request.Layer = request.URL+"/"+chart, source.HelmChartLayer
		if _, err := semver.StrictNewVersion(strings.TrimPrefix(version, "v")); err == nil {
			request.Version = version
		} else {
			request.SemVer = version
		}
		return request, nil
	case sourcev1.GitRepositoryKind:
		url, _ := value(from.Object, []string{"spec", "url"})
		if from.Bootstrap || sameURL(fmt.Sprint(url), b.Cluster.Entry.URL) {
			return source.ChartRequest{URL: "file:" + strings.TrimPrefix(path.Clean("/"+chart), "/")}, nil
		}
	}
	return source.ChartRequest{}, fmt.Errorf("charts from %s are not fetched", from.Ref)
}

// capabilities tell charts the cluster's version, and the kinds that the tree
// uses.
func (b *builder) capabilities() *common.Capabilities {
	c := common.DefaultCapabilities.Copy()
	if v, err := common.ParseKubeVersion(cmp.Or(b.Cluster.Config.KubernetesVersion, defaultKubernetesVersion)); err == nil {
		c.KubeVersion = *v
	}
	seen := map[string]bool{}
	for _, o := range b.Objects {
		for _, version := range []string{o.GetAPIVersion(), o.GetAPIVersion() + "/" + o.GetKind()} {
			if !seen[version] {
				seen[version] = true
				c.APIVersions = append(c.APIVersions, version)
			}
		}
	}
	return c
}
