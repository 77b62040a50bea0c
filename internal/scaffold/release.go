package scaffold

import (
	"path"

	"go.yaml.in/yaml/v3"

	"hearth/internal/render/desired"
)

// releaseOrder is the order in which a HelmRelease is written.
var releaseOrder = []string{"interval", "timeout", "chartRef", "chart", "maxHistory", "install", "upgrade", "rollback", "uninstall", "driftDetection", "values"}

// releaseComputed are the fields that each release has for itself.
var releaseComputed = []string{"values", "valuesFrom", "dependsOn", "postRenderers", "chartRef", "chart", "suspend", "releaseName", "targetNamespace"}

// application plans the folder of the application itself.
func (b *builder) application() error {
	if err := b.checkNeeds(); err != nil {
		return err
	}
	files := b.secrets() // first: the values name the Secret
	values, err := b.values()
	if err != nil {
		return err
	}
	chart, source := b.chart()
	release, err := b.release(chart, values)
	if err != nil {
		return err
	}
	files = append([]planned{{b.layout.release, release}}, files...)
	if source != nil {
		files = append(files, planned{b.layout.source, document{source, b.layout.comments[get(source, "kind").Value]}})
	}
	if b.tunnelled() {
		endpoint, err := b.endpoint()
		if err != nil {
			return err
		}
		files = append(files, planned{"dnsendpoint.yaml", endpoint})
	}
	return b.createAll(path.Join(b.folder, b.layout.app), files)
}

// checkNeeds refuses what the cluster has nothing for.
func (b *builder) checkNeeds() error {
	if b.Database || len(b.Secrets) > 0 {
		if store := b.store(); b.missing(secretsGroup, store.Kind, b.Namespace, store.Name) {
			return b.lacks("a secret", "the "+store.Kind+" "+store.Name)
		}
	}
	if b.exposed() && b.gateway() == nil {
		return b.noGateway()
	}
	if b.Image.Digest == "" {
		b.note("the image is not pinned: check will warn until its tag is %s@sha256:DIGEST", b.Image.Tag)
	}
	return nil
}

// examples are the releases of the default chart.
func (b *builder) examples() []*desired.Release {
	var list []*desired.Release
	for _, r := range b.state.Releases {
		if path.Base(r.ChartName) == b.config.Charts.Default {
			list = append(list, r)
		}
	}
	return list
}

// writtenExamples are the releases of the default chart as they stand in the
// repository.
func (b *builder) writtenExamples() []written {
	var list []written
	for _, r := range b.examples() {
		if w, ok := writtenAs(r.Object); ok {
			list = append(list, w)
		}
	}
	return list
}

// release makes the HelmRelease.
func (b *builder) release(chart, values *yaml.Node) (document, error) {
	all := b.writtenExamples()
	spec := b.learnFields(all, []string{"spec"}, releaseOrder, releaseComputed, []string{"interval"})
	if len(all) == 0 {
		set(spec, "interval", "1h")
		set(spec, "maxHistory", 3)
	}
	for _, name := range fieldNames(chart) {
		set(spec, name, get(chart, name))
	}
	if get(spec, "install") == nil && get(spec, "upgrade") == nil && !b.remediated() {
		retries := fields("retries", 3)
		set(spec, "install", fields("remediation", retries))
		set(spec, "upgrade", fields("cleanupOnFail", true, "remediation", retries))
	}
	set(spec, "values", values)
	version := tally{}
	for _, w := range all {
		version.addText(w.APIVersion(), "", "")
	}
	object := fields("apiVersion", version.commonestText("", "", "helm.toolkit.fluxcd.io/v2"), "kind", "HelmRelease",
		"metadata", fields("name", b.Name), "spec", sorted(spec, releaseOrder))
	return document{object, b.releaseComment()}, nil
}

// releaseComment is the comment that stands above most releases of the chart.
func (b *builder) releaseComment() string {
	var comments tally
	for _, w := range b.writtenExamples() {
		comments.addText(schemaLine(w.Document), "", "")
	}
	if n := comments.most("", ""); n != nil {
		return n.Value
	}
	return ""
}

// remediated reports whether most releases are retried although they do not say
// so themselves: patches from above do.
func (b *builder) remediated() bool {
	patched := 0
	releases := b.examples()
	for _, r := range releases {
		if install := r.Spec.Install; install != nil && (install.Remediation != nil || install.Strategy != nil) {
			patched++
		}
	}
	return len(releases) > 0 && patched*2 > len(releases)
}

// chart returns the fields that name the chart, and the source to be written
// beside the release where the namespace has none.
func (b *builder) chart() (reference, source *yaml.Node) {
	var references tally
	all := b.writtenExamples()
	for _, w := range all {
		references.add(fields("chartRef", w.at("spec", "chartRef"), "chart", w.at("spec", "chart")), w.name, w.namespace)
	}
	reference = references.commonest(b.Name, b.Namespace)
	if reference == nil {
		return fields("chartRef", fields("kind", "OCIRepository", "name", b.Name)), b.standardSource()
	}
	r := b.exampleOf(reference)
	if r == nil || r.Source == nil || b.hasSource(r) {
		return reference, nil
	}
	w, ok := writtenAs(r.Source)
	if !ok {
		return reference, nil
	}
	return reference, b.copySource(w, reference, r)
}

// exampleOf returns a release whose chart is named in the same way.
func (b *builder) exampleOf(reference *yaml.Node) *desired.Release {
	for _, r := range b.examples() {
		w, ok := writtenAs(r.Object)
		if !ok {
			continue
		}
		var one tally
		one.add(fields("chartRef", w.at("spec", "chartRef"), "chart", w.at("spec", "chart")), w.name, w.namespace)
		if spell(one.commonest(b.Name, b.Namespace)) == spell(reference) {
			return r
		}
	}
	return nil
}

// hasSource reports whether the new release finds its chart without further
// ado: the source is another namespace's, or stands in its own, or a component
// brings it there.
func (b *builder) hasSource(r *desired.Release) bool {
	if r.Source.GetNamespace() != r.Namespace {
		return true
	}
	if r.Source.GetName() != r.Name && b.state.Find(sourceGroup, r.Source.GetKind(), b.Namespace, r.Source.GetName()) != nil {
		return true
	}
	return r.Source.GetName() != r.Name && b.bringsComponent(path.Dir(r.Source.File()))
}

// copySource makes a source like another one, under the name that the
// reference wants.
func (b *builder) copySource(w written, reference *yaml.Node, r *desired.Release) *yaml.Node {
	name := r.Source.GetName()
	if name == r.Name {
		name = b.Name
	}
	object := named(plainCopy(w.Node, func(s string) string { return s }, maxDepth), b.Name, b.Namespace)
	set(object, "metadata", fields("name", name))
	return object
}

// standardSource is the source of app-template where the repository has none.
func (b *builder) standardSource() *yaml.Node {
	return fields("apiVersion", "source.toolkit.fluxcd.io/v1", "kind", "OCIRepository", "metadata", fields("name", b.Name), "spec", fields(
		"interval", "1h",
		"url", "oci://ghcr.io/bjw-s-labs/helm/"+b.config.Charts.Default,
		"ref", fields("tag", standardChartVersion),
		"layerSelector", fields("mediaType", "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "operation", "copy"),
	))
}

// standardChartVersion is the version of app-template that the values are
// written for.
const standardChartVersion = "5.0.0"
