package graph

const (
	sourceGroup       = "source.toolkit.fluxcd.io"
	kustomizeGroup    = "kustomize.toolkit.fluxcd.io"
	helmGroup         = "helm.toolkit.fluxcd.io"
	notificationGroup = "notification.toolkit.fluxcd.io"
	imageGroup        = "image.toolkit.fluxcd.io"
	operatorGroup     = "fluxcd.controlplane.io"
)

var (
	kustomizationKind = kind{kustomizeGroup, "Kustomization"}
	releaseKind       = kind{helmGroup, "HelmRelease"}
)

// fluxReaders read the kinds of Flux.
var fluxReaders = readerTable{
	kustomizationKind:               readKustomization,
	releaseKind:                     readRelease,
	{sourceGroup, "*"}:              readSource,
	{notificationGroup, "Alert"}:    readAlert,
	{notificationGroup, "Provider"}: readNotifier,
	{notificationGroup, "Receiver"}: readReceiver,
	{imageGroup, "*"}:               readImageAutomation,
	{operatorGroup, "FluxInstance"}: readFluxInstance,
	{operatorGroup, "ResourceSet"}:  readResourceSet,
}

func readKustomization(c *collector) {
	spec := c.at("spec")
	c.target(spec.at("sourceRef"), kind{sourceGroup, "GitRepository"}, "is built from")
	for on := range spec.at("dependsOn").items() {
		c.selector(on, kustomizationKind, "waits for")
	}
	for from := range spec.at("postBuild", "substituteFrom").items() {
		c.selector(from, kind{"", from.at("kind").text()}, "takes variables from")
	}
	c.secret(spec.at("decryption", "secretRef"), "decrypts with")
	c.fluxAccess(spec)
	for check := range spec.at("healthChecks").items() {
		c.target(check, kind{}, "waits for the health of")
	}
}

// fluxAccess reads how Kustomizations and HelmReleases reach the cluster.
func (c *collector) fluxAccess(spec field) {
	c.secret(spec.at("kubeConfig", "secretRef"), "reaches another cluster with")
	c.configMap(spec.at("kubeConfig", "configMapRef"), "reaches another cluster with")
	c.name(spec.at("serviceAccountName"), serviceAccountKind, "acts as")
}

func readRelease(c *collector) {
	spec := c.at("spec")
	c.target(spec.at("chartRef"), kind{sourceGroup, "OCIRepository"}, "takes its chart from")
	c.target(spec.at("chart", "spec", "sourceRef"), kind{sourceGroup, "HelmRepository"}, "takes its chart from")
	c.secret(spec.at("chart", "spec", "verify", "secretRef"), "verifies its chart with")
	for on := range spec.at("dependsOn").items() {
		c.selector(on, releaseKind, "waits for")
	}
	for from := range spec.at("valuesFrom").items() {
		c.selector(from, kind{"", from.at("kind").text()}, "takes values from", withKey(from.at("valuesKey").text()))
	}
	c.fluxAccess(spec)
}

func readSource(c *collector) {
	spec := c.at("spec")
	for _, name := range []string{"secretRef", "certSecretRef", "proxySecretRef"} {
		c.secret(spec.at(name), "fetches with")
	}
	c.secret(spec.at("verify", "secretRef"), "verifies with")
	c.name(spec.at("serviceAccountName"), serviceAccountKind, "fetches as")
	c.target(spec.at("sourceRef"), kind{sourceGroup, "HelmRepository"}, "is fetched from")
	for include := range spec.at("include").items() {
		c.selector(include.at("repository"), kind{sourceGroup, "GitRepository"}, "includes")
	}
}

func readAlert(c *collector) {
	c.selector(c.at("spec", "providerRef"), kind{notificationGroup, "Provider"}, "is sent by")
	for source := range c.at("spec", "eventSources").items() {
		c.watched(source, "tells of")
	}
}

func readNotifier(c *collector) {
	for _, name := range []string{"secretRef", "certSecretRef", "proxySecretRef"} {
		c.secret(c.at("spec", name), "sends with")
	}
}

func readReceiver(c *collector) {
	c.secret(c.at("spec", "secretRef"), "is authenticated by")
	for resource := range c.at("spec", "resources").items() {
		c.watched(resource, "wakes")
	}
}

// watched reads the selection of Flux objects; "*" names all of a kind.
func (c *collector) watched(f field, why string) {
	if f.at("name").text() == "*" {
		return
	}
	name := f.at("kind").text()
	group := sourceGroup
	switch name {
	case kustomizationKind.name:
		group = kustomizeGroup
	case releaseKind.name:
		group = helmGroup
	case "ImageRepository", "ImagePolicy", "ImageUpdateAutomation":
		group = imageGroup
	}
	if version := f.at("apiVersion").text(); version != "" {
		group = groupOf(version)
	}
	c.selector(f, kind{group, name}, why, optional)
}

func readImageAutomation(c *collector) {
	spec := c.at("spec")
	for _, name := range []string{"secretRef", "certSecretRef", "proxySecretRef"} {
		c.secret(spec.at(name), "asks its registry with")
	}
	c.selector(spec.at("imageRepositoryRef"), kind{imageGroup, "ImageRepository"}, "selects from")
	c.target(spec.at("sourceRef"), kind{sourceGroup, "GitRepository"}, "writes to")
	c.name(spec.at("serviceAccountName"), serviceAccountKind, "acts as")
}

func readFluxInstance(c *collector) {
	c.name(c.at("spec", "sync", "pullSecret"), secretKind, "fetches with")
	c.name(c.at("spec", "distribution", "imagePullSecret"), secretKind, "pulls images with", optional)
}

func readResourceSet(c *collector) {
	for on := range c.at("spec", "dependsOn").items() {
		c.target(on, kind{}, "waits for")
	}
	for from := range c.at("spec", "inputsFrom").items() {
		c.target(from, kind{operatorGroup, "ResourceSetInputProvider"}, "takes inputs from")
	}
	c.name(c.at("spec", "serviceAccountName"), serviceAccountKind, "acts as")
}
