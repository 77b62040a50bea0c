package graph

import "strings"

// workloadReaders read the kinds of Kubernetes itself.
var workloadReaders = readerTable{
	{"", "PersistentVolumeClaim"}:                       func(c *collector) { c.claim(c.at("spec")) },
	{"", "PersistentVolume"}:                            readVolume,
	{"", "ServiceAccount"}:                              readServiceAccount,
	{"storage.k8s.io", "StorageClass"}:                  readStorageClass,
	{"snapshot.storage.k8s.io", "VolumeSnapshotClass"}:  readStorageClass,
	{"snapshot.storage.k8s.io", "VolumeSnapshot"}:       readSnapshot,
	{"rbac.authorization.k8s.io", "RoleBinding"}:        readBinding,
	{"rbac.authorization.k8s.io", "ClusterRoleBinding"}: readBinding,
	{"autoscaling", "HorizontalPodAutoscaler"}:          readAutoscaler,
	{"admissionregistration.k8s.io", "*"}:               readAdmission,
	{"apiregistration.k8s.io", "APIService"}:            readAPIService,
}

// podReaders read the kinds that hold a specification of pods.
func podReaders() readerTable {
	table := readerTable{}
	for k, path := range podPaths {
		table[k] = func(c *collector) { c.workload(c.at(path...), len(path) > 1) }
	}
	table[kind{"apps", "StatefulSet"}] = readStatefulSet
	return table
}

// attachedNetworks is the annotation by which pods ask for further networks.
const attachedNetworks = "k8s.v1.cni.cncf.io/networks"

// workload reads a specification of pods, and the annotations beside it.
func (c *collector) workload(spec field, template bool) {
	c.pod(spec)
	above := field{value: c.value}
	if template {
		above = c.parent(spec)
	}
	networks := above.at("metadata", "annotations", attachedNetworks)
	if strings.HasPrefix(strings.TrimSpace(networks.text()), "[") {
		return // the long form, in JSON
	}
	for _, named := range strings.Split(networks.text(), ",") {
		named, _, _ = strings.Cut(strings.TrimSpace(named), "@")
		namespace, name, ok := strings.Cut(named, "/")
		if !ok {
			namespace, name = "", named
		}
		c.name(field{name, networks.path}, kind{"k8s.cni.cncf.io", "NetworkAttachmentDefinition"}, "is attached to", in(namespace))
	}
}

// parent returns the value that holds a field of the object.
func (c *collector) parent(f field) field {
	if len(f.path) == 0 {
		return field{}
	}
	return field{value: c.value}.at(f.path[:len(f.path)-1]...)
}

func (c *collector) pod(spec field) {
	for pull := range spec.at("imagePullSecrets").items() {
		c.secret(pull, "pulls images with", optional)
	}
	c.name(spec.at("serviceAccountName"), serviceAccountKind, "runs as")
	c.name(spec.at("runtimeClassName"), kind{"node.k8s.io", "RuntimeClass"}, "runs in")
	c.name(spec.at("priorityClassName"), kind{"scheduling.k8s.io", "PriorityClass"}, "is scheduled by")
	for claim := range spec.at("resourceClaims").items() {
		c.name(claim.at("resourceClaimTemplateName"), kind{"resource.k8s.io", "ResourceClaimTemplate"}, "claims devices by")
		c.name(claim.at("resourceClaimName"), kind{"resource.k8s.io", "ResourceClaim"}, "claims devices by")
	}
	for volume := range spec.at("volumes").items() {
		c.podVolume(volume)
	}
	for _, list := range []string{"initContainers", "containers", "ephemeralContainers"} {
		for container := range spec.at(list).items() {
			c.container(container)
		}
	}
}

func (c *collector) podVolume(volume field) {
	const why = "mounts"
	missingIsFine := optionalIf(volume.at("secret", "optional").isTrue() || volume.at("configMap", "optional").isTrue())
	c.name(volume.at("secret", "secretName"), secretKind, why, missingIsFine)
	c.name(volume.at("configMap", "name"), configMapKind, why, missingIsFine)
	c.name(volume.at("persistentVolumeClaim", "claimName"), claimKind, why)
	for part := range volume.at("projected", "sources").items() {
		c.secret(part.at("secret"), why)
		c.configMap(part.at("configMap"), why)
	}
	c.secret(volume.at("csi", "nodePublishSecretRef"), "mounts a volume with")
	c.name(volume.at("csi", "volumeAttributes", "secretProviderClass"), kind{"secrets-store.csi.x-k8s.io", "SecretProviderClass"}, why)
	for _, driver := range []string{"cephfs", "rbd", "iscsi", "flexVolume", "scaleIO", "storageos"} {
		c.secret(volume.at(driver, "secretRef"), "mounts a volume with")
	}
	c.name(volume.at("azureFile", "secretName"), secretKind, "mounts a volume with")
	c.claim(volume.at("ephemeral", "volumeClaimTemplate", "spec"))
}

func (c *collector) container(container field) {
	for from := range container.at("envFrom").items() {
		c.secret(from.at("secretRef"), "reads its environment from")
		c.configMap(from.at("configMapRef"), "reads its environment from")
	}
	for env := range container.at("env").items() {
		c.secret(env.at("valueFrom", "secretKeyRef"), "reads an environment variable from")
		c.configMap(env.at("valueFrom", "configMapKeyRef"), "reads an environment variable from")
	}
}

// claim reads the specification of a PersistentVolumeClaim. One that names its
// volume is bound whether its class exists or not.
func (c *collector) claim(spec field) {
	c.name(spec.at("storageClassName"), storageClassKind, "is provisioned by", optionalIf(spec.at("volumeName").text() != ""))
	c.name(spec.at("volumeName"), volumeKind, "is bound to")
	from := spec.at("dataSourceRef")
	if !from.exists() {
		from = spec.at("dataSource")
	}
	c.target(from, claimKind, "is filled from")
}

func readStatefulSet(c *collector) {
	c.workload(c.at(podPaths[kind{"apps", "StatefulSet"}]...), true)
	c.name(c.at("spec", "serviceName"), serviceKind, "is found through", optional)
	for template := range c.at("spec", "volumeClaimTemplates").items() {
		c.claim(template.at("spec"))
	}
}

func readVolume(c *collector) {
	for _, name := range []string{"controllerPublishSecretRef", "nodeStageSecretRef", "nodePublishSecretRef", "controllerExpandSecretRef", "nodeExpandSecretRef"} {
		ref := c.at("spec", "csi", name)
		c.namespace = ref.at("namespace").text()
		c.secret(ref, "is mounted with")
	}
	c.namespace = ""
}

func readServiceAccount(c *collector) {
	for _, list := range []string{"secrets", "imagePullSecrets"} {
		for item := range c.at(list).items() {
			c.secret(item, "holds", optional)
		}
	}
}

// readStorageClass reads the parameters by which CSI drivers find Secrets.
func readStorageClass(c *collector) {
	parameters := c.at("parameters")
	for name, value := range parameters.entries() {
		base, ok := strings.CutSuffix(name, "-secret-name")
		namespace := parameters.at(base + "-secret-namespace").text()
		if !ok || strings.Contains(value.text()+namespace, "${") {
			continue
		}
		c.namespace = namespace
		c.name(value, secretKind, "provisions with")
	}
	c.namespace = ""
}

func readSnapshot(c *collector) {
	c.name(c.at("spec", "source", "persistentVolumeClaimName"), claimKind, "is taken of")
	c.name(c.at("spec", "volumeSnapshotClassName"), kind{"snapshot.storage.k8s.io", "VolumeSnapshotClass"}, "is taken by")
}

func readBinding(c *collector) {
	c.target(c.at("roleRef"), kind{"rbac.authorization.k8s.io", "ClusterRole"}, "grants")
	for subject := range c.at("subjects").items() {
		if subject.at("kind").text() != "ServiceAccount" {
			continue
		}
		own := c.namespace
		c.namespace = subject.at("namespace").textOr(own)
		c.name(subject.at("name"), serviceAccountKind, "grants to", optional)
		c.namespace = own
	}
}

func readAutoscaler(c *collector) {
	c.target(c.at("spec", "scaleTargetRef"), kind{}, "scales")
}

// readAdmission reads which Services webhooks are answered by.
func readAdmission(c *collector) {
	for hook := range c.at("webhooks").items() {
		service := hook.at("clientConfig", "service")
		c.namespace = service.at("namespace").text()
		c.name(service.at("name"), serviceKind, "is answered by", withKey(service.at("port").text()))
	}
	c.namespace = ""
}

func readAPIService(c *collector) {
	service := c.at("spec", "service")
	c.namespace = service.at("namespace").text()
	c.name(service.at("name"), serviceKind, "is answered by", withKey(service.at("port").text()))
	c.namespace = ""
}
