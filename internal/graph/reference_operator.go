package graph

const (
	volsyncGroup    = "volsync.backube"
	monitoringGroup = "monitoring.coreos.com"
	grafanaGroup    = "grafana.integreatly.org"
	rookGroup       = "ceph.rook.io"
	kedaGroup       = "keda.sh"
)

// operatorReaders read the kinds of other operators.
var operatorReaders = readerTable{
	{volsyncGroup, "ReplicationSource"}:         readReplication,
	{volsyncGroup, "ReplicationDestination"}:    readReplication,
	{monitoringGroup, "*"}:                      readMonitoring,
	{grafanaGroup, "*"}:                         readGrafana,
	{rookGroup, "CephObjectStoreUser"}:          readObjectStoreUser,
	{"objectbucket.io", "ObjectBucketClaim"}:    readBucketClaim,
	{kedaGroup, "ScaledObject"}:                 readScaled,
	{kedaGroup, "ScaledJob"}:                    readScaled,
	{kedaGroup, "TriggerAuthentication"}:        readTriggerAuthentication,
	{kedaGroup, "ClusterTriggerAuthentication"}: readTriggerAuthentication,
	{"autoscaling.k8s.io", "VerticalPodAutoscaler"}: func(c *collector) {
		c.target(c.at("spec", "targetRef"), kind{}, "scales")
	},
}

// readReplication reads how VolSync backs up a claim, or restores one.
func readReplication(c *collector) {
	spec := c.at("spec")
	c.name(spec.at("sourcePVC"), claimKind, "backs up")
	for _, mover := range spec.entries() {
		c.name(mover.at("repository"), secretKind, "reaches its repository with")
		c.name(mover.at("rcloneConfig"), secretKind, "reaches its repository with")
		c.name(mover.at("sshKeys"), secretKind, "authenticates with")
		c.name(mover.at("keySecret"), secretKind, "authenticates with")
		c.name(mover.at("customCA", "secretName"), secretKind, "trusts")
		c.name(mover.at("customCA", "configMapName"), configMapKind, "trusts")
		c.name(mover.at("destinationPVC"), claimKind, "restores to")
		c.name(mover.at("moverServiceAccount"), serviceAccountKind, "runs as")
		c.name(mover.at("storageClassName"), storageClassKind, "copies to")
		c.name(mover.at("cacheStorageClassName"), storageClassKind, "caches on")
		c.name(mover.at("volumeSnapshotClassName"), kind{"snapshot.storage.k8s.io", "VolumeSnapshotClass"}, "takes snapshots by")
	}
}

// readMonitoring reads the Secrets of endpoints and receivers, each a mapping
// of a name and a key that may also be named configMap.
func readMonitoring(c *collector) {
	c.credentials(c.at("spec"), maxDepth)
	c.name(c.at("spec", "serviceAccountName"), serviceAccountKind, "runs as")
	c.claim(c.at("spec", "storage", "volumeClaimTemplate", "spec"))
}

func (c *collector) credentials(f field, depth int) {
	if depth == 0 {
		return
	}
	for item := range f.items() {
		c.credentials(item, depth-1)
	}
	for name, value := range f.entries() {
		switch {
		case value.at("name").text() == "" || value.at("key").text() == "":
			c.credentials(value, depth-1)
		case name == "configMap" || name == "configMapKeyRef":
			c.configMap(value, "reads a value from")
		default:
			c.secret(value, "reads credentials from")
		}
	}
}

func readGrafana(c *collector) {
	spec := c.at("spec")
	c.conventions(spec)
	c.credentials(spec.at("external"), maxDepth)
	for from := range spec.at("envFrom").items() {
		c.configMap(from.at("configMapKeyRef"), "reads a value from")
	}
}

func readObjectStoreUser(c *collector) {
	c.name(c.at("spec", "store"), kind{rookGroup, "CephObjectStore"}, "belongs to", in(c.at("spec", "clusterNamespace").text()))
}

func readBucketClaim(c *collector) {
	c.name(c.at("spec", "storageClassName"), storageClassKind, "is provisioned by")
}

// readScaled reads what KEDA scales, and what asks for it.
func readScaled(c *collector) {
	c.target(c.at("spec", "scaleTargetRef"), kind{"apps", "Deployment"}, "scales")
	if path := []string{"spec", "jobTargetRef", "template", "spec"}; c.at(path...).exists() {
		c.pod(c.at(path...))
	}
	for trigger := range c.at("spec", "triggers").items() {
		by := trigger.at("authenticationRef")
		c.selector(by, kind{kedaGroup, by.at("kind").textOr("TriggerAuthentication")}, "asks with")
	}
}

func readTriggerAuthentication(c *collector) {
	for ref := range c.at("spec", "secretTargetRef").items() {
		c.secret(ref, "asks with")
	}
	for ref := range c.at("spec", "configMapTargetRef").items() {
		c.configMap(ref, "asks with")
	}
}
