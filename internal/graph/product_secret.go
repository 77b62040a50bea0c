package graph

import "regexp"

// matchesWhole reports whether a pattern matches a whole name. One that is no
// regular expression may match anything.
func matchesWhole(pattern, name string) bool {
	if pattern == name {
		return true
	}
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	return err != nil || re.MatchString(name)
}

// secretMakers are kinds whose purpose is to make Secrets.
var secretMakers = makerTable{
	externalSecretKind: func(p *products) { p.externalSecret(p.at("spec"), p.name) },
	{externalSecretsGroup, "ClusterExternalSecret"}: clusterExternalSecret,
	{certManagerGroup, "Certificate"}:               func(p *products) { p.secrets(p.at("spec", "secretName").text()) },
	{certManagerGroup, "Issuer"}:                    func(p *products) { p.secrets(p.at("spec", "acme", "privateKeySecretRef", "name").text()) },
	{certManagerGroup, "ClusterIssuer"}: func(p *products) {
		p.everywhere(secretKind, p.at("spec", "acme", "privateKeySecretRef", "name").text(), anyNamespace)
	},
	{"trust.cert-manager.io", "Bundle"}: func(p *products) {
		accepts := anyNamespace
		if selector := p.at("spec", "target", "namespaceSelector"); selector.exists() {
			accepts = p.namespaces.selected(selector)
		}
		p.everywhere(configMapKind, p.name, accepts)
		p.everywhere(secretKind, p.name, accepts)
	},
	{"bitnami.com", "SealedSecret"}: func(p *products) { p.secrets(p.at("spec", "template", "metadata", "name").textOr(p.name)) },
	{"isindir.github.com", "SopsSecret"}: func(p *products) {
		for template := range p.at("spec", "secretTemplates").items() {
			p.secrets(template.at("name").text())
		}
	},
	{"onepassword.com", "OnePasswordItem"}:          func(p *products) { p.secrets(p.name) },
	{"k8s.bitwarden.com", "BitwardenSecret"}:        func(p *products) { p.secrets(p.at("spec", "secretName").text()) },
	{"secrets.hashicorp.com", "VaultStaticSecret"}:  destination,
	{"secrets.hashicorp.com", "VaultDynamicSecret"}: destination,
	{"secrets.hashicorp.com", "VaultPKISecret"}:     destination,
	{"secrets.infisical.com", "InfisicalSecret"}: func(p *products) {
		for _, name := range []string{"managedSecretReference", "managedKubeSecretReferences"} {
			p.managed(p.at("spec", name))
			for item := range p.at("spec", name).items() {
				p.managed(item)
			}
		}
	},
	{"secrets.doppler.com", "DopplerSecret"}: func(p *products) { p.managed(p.at("spec", "managedSecret")) },
	{"infra.contrib.fluxcd.io", "Terraform"}: func(p *products) { p.secrets(p.at("spec", "writeOutputsToSecret", "name").text()) },
	{"secrets-store.csi.x-k8s.io", "SecretProviderClass"}: func(p *products) {
		for object := range p.at("spec", "secretObjects").items() {
			p.secrets(object.at("secretName").text())
		}
	},
	{"talos.dev", "ServiceAccount"}: func(p *products) { p.secrets(p.name) },
	{"objectbucket.io", "ObjectBucketClaim"}: func(p *products) {
		p.secrets(p.name)
		p.add(configMapKind, p.name)
	},
}

// externalSecret adds the object that an ExternalSecret writes, unless it only
// adds to one that somebody else makes.
func (p *products) externalSecret(spec field, name string) {
	target := spec.at("target")
	switch target.at("creationPolicy").text() {
	case "None", "Merge":
		return
	}
	k := kind{groupOf(target.at("manifest", "apiVersion").text()), target.at("manifest", "kind").textOr("Secret")}
	p.add(k, target.at("name").textOr(name))
}

func clusterExternalSecret(p *products) {
	spec := p.at("spec")
	name := spec.at("externalSecretSpec", "target", "name").textOr(spec.at("externalSecretName").textOr(p.name))
	selectors := []field{spec.at("namespaceSelector")}
	for s := range spec.at("namespaceSelectors").items() {
		selectors = append(selectors, s)
	}
	listed := map[string]bool{}
	for n := range spec.at("namespaces").items() {
		listed[n.text()] = true
	}
	selects := false
	for _, s := range selectors {
		selects = selects || s.exists()
	}
	accepts := p.namespaces.selected(selectors...)
	p.everywhere(secretKind, name, func(namespace string) bool {
		return listed[namespace] || selects && accepts(namespace)
	})
}

func destination(p *products) { p.secrets(p.at("spec", "destination", "name").text()) }

// managed adds the Secret that a mapping names in one of two ways.
func (p *products) managed(f field) {
	p.elsewhere(secretKind, f.at("secretNamespace").textOr(f.at("namespace").text()), f.at("secretName").textOr(f.at("name").text()))
}
