package diff

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// fixed are the fields that the API server does not let change, by the kind of
// their object, as Kubernetes 1.37 validates updates.
var fixed = map[schema.GroupKind][]string{
	{Group: "apps", Kind: "Deployment"}:  {"spec.selector"},
	{Group: "apps", Kind: "DaemonSet"}:   {"spec.selector"},
	{Group: "apps", Kind: "ReplicaSet"}:  {"spec.selector"},
	{Group: "apps", Kind: "StatefulSet"}: {"spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"},
	{Group: "batch", Kind: "Job"}: {
		"spec.template", "spec.selector", "spec.completionMode", "spec.podFailurePolicy", "spec.backoffLimitPerIndex", "spec.managedBy", "spec.successPolicy",
	},
	{Kind: "PersistentVolumeClaim"}: {
		"spec.storageClassName", "spec.volumeName", "spec.accessModes", "spec.volumeMode", "spec.selector", "spec.dataSource", "spec.dataSourceRef",
	},
	{Kind: "PersistentVolume"}: {
		"spec.nfs", "spec.csi", "spec.hostPath", "spec.local", "spec.iscsi", "spec.fc", "spec.rbd", "spec.cephfs", "spec.volumeMode",
	},
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                   {"provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:         {"roleRef"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:  {"roleRef"},
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                {"spec.controller"},
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:               {"value", "preemptionPolicy"},
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                      {"handler"},
	{Group: "snapshot.storage.k8s.io", Kind: "VolumeSnapshotClass"}:   {"driver", "deletionPolicy", "parameters"},
	{Group: "gateway.networking.k8s.io", Kind: "GatewayClass"}:        {"spec.controllerName"},
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: {"spec.group", "spec.scope", "spec.names.plural", "spec.names.kind"},
	{Kind: "Secret"}: {"type"},
	{Group: "cert-manager.io", Kind: "CertificateRequest"}: {"spec"},
}

// whileImmutable are the fields that may not change where the object says
// immutable: true.
var whileImmutable = map[schema.GroupKind][]string{
	{Kind: "ConfigMap"}: {"data", "binaryData", "immutable"},
	{Kind: "Secret"}:    {"data", "stringData", "immutable"},
}

// defaults are what fixed fields are where they are not set: setting one to
// that is no change.
var defaults = map[string]string{
	"spec.podManagementPolicy": "OrderedReady", "spec.completionMode": "NonIndexed", "spec.volumeMode": "Filesystem",
	"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate", "preemptionPolicy": "PreemptLowerPriority", "type": "Opaque",
}

// refusals returns the changed fields of an object that an apply of it fails on.
func refusals(o *Object) (fields []string, why string) {
	kind := schema.GroupKind{Group: o.Key.Group, Kind: o.Key.Kind}
	paths := fixed[kind]
	if o.Before["immutable"] == true {
		paths = append(paths[:len(paths):len(paths)], whileImmutable[kind]...)
	}
	for _, f := range o.Fields {
		for _, path := range paths {
			if within(f.Path, path) && !isDefault(f, path) && !addsUnset(kind, f) {
				fields = append(fields, f.Path)
				break
			}
		}
	}
	if len(fields) > 0 {
		return fields, "may not be changed"
	}
	if kind == (schema.GroupKind{Kind: "Service"}) {
		return clusterIP(o)
	}
	return smaller(o, kind)
}

// within reports whether a field is at a path or below.
func within(field, path string) bool {
	rest, ok := strings.CutPrefix(field, path)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// isDefault reports whether a field comes or goes that says what is so anyway.
func isDefault(f Field, path string) bool {
	value := f.After
	if f.Kind == Removed {
		value = f.Before
	}
	return f.Kind != Changed && f.Path == path && defaults[path] != "" && value == defaults[path]
}

// addsUnset reports whether a field of a claim is set that the cluster has set
// already to what is known there alone: its class and its volume.
func addsUnset(kind schema.GroupKind, f Field) bool {
	if kind.Kind != "PersistentVolumeClaim" {
		return false
	}
	// The one that is removed stays as it is.
	return f.Kind == Removed || f.Kind == Added && f.Path == "spec.volumeName"
}

// clusterIP tells of a Service whose address changes: only one that it does not
// have yet may be chosen.
func clusterIP(o *Object) ([]string, string) {
	for _, f := range o.Fields {
		if f.Path == "spec.clusterIP" && f.Kind == Changed && f.Before != "" && f.After != "" && nested(o.After, "spec")["type"] != "ExternalName" {
			return []string{f.Path}, "may not be changed"
		}
	}
	return nil, ""
}

// sizes are where objects say how much storage they want.
var sizes = map[schema.GroupKind][]string{
	{Kind: "PersistentVolumeClaim"}:                  {"spec", "resources", "requests", "storage"},
	{Group: "postgresql.cnpg.io", Kind: "Cluster"}:   {"spec", "storage", "size"},
	{Group: "k8s.mariadb.com", Kind: "MariaDB"}:      {"spec", "storage", "size"},
	{Group: "acid.zalan.do", Kind: "postgresql"}:     {"spec", "volume", "size"},
	{Group: "rabbitmq.com", Kind: "RabbitmqCluster"}: {"spec", "persistence", "storage"},
}

// smaller tells of storage that shrinks.
func smaller(o *Object, kind schema.GroupKind) ([]string, string) {
	path := sizes[kind]
	if path == nil {
		return nil, ""
	}
	before, okBefore := quantity(o.Before, path)
	after, okAfter := quantity(o.After, path)
	if !okBefore || !okAfter || after.Cmp(before) >= 0 {
		return nil, ""
	}
	return []string{strings.Join(path, ".")}, "shrinks from " + before.String() + " to " + after.String() + ", and volumes only grow"
}

func quantity(o map[string]any, path []string) (resource.Quantity, bool) {
	text := scalarAt(o, path)
	if text == "" {
		return resource.Quantity{}, false
	}
	q, err := resource.ParseQuantity(text)
	return q, err == nil
}
