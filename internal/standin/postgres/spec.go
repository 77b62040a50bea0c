package postgres

import (
	"cmp"
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// defaultImage is what instances run that name no image.
const defaultImage = "ghcr.io/cloudnative-pg/postgresql:18.1-system-trixie"

// clusterSpec is what is read of a Cluster.
type clusterSpec struct {
	Instances       int64  `json:"instances"`
	ImageName       string `json:"imageName"`
	ImageCatalogRef *struct {
		Kind  string `json:"kind"`
		Name  string `json:"name"`
		Major int64  `json:"major"`
	} `json:"imageCatalogRef"`
	ImagePullSecrets      []corev1.LocalObjectReference `json:"imagePullSecrets"`
	EnableSuperuserAccess bool                          `json:"enableSuperuserAccess"`
	SuperuserSecret       *corev1.LocalObjectReference  `json:"superuserSecret"`
	EnablePDB             *bool                         `json:"enablePDB"`
	Storage               storage                       `json:"storage"`
	WALStorage            *storage                      `json:"walStorage"`
	Resources             corev1.ResourceRequirements   `json:"resources"`
	PriorityClassName     string                        `json:"priorityClassName"`
	Affinity              affinity                      `json:"affinity"`
	Bootstrap             struct {
		InitDB   *credentials `json:"initdb"`
		Recovery *credentials `json:"recovery"`
		Base     *credentials `json:"pg_basebackup"`
	} `json:"bootstrap"`
	Backup            map[string]any    `json:"backup"`
	Plugins           []map[string]any  `json:"plugins"`
	InheritedMetadata inheritedMetadata `json:"inheritedMetadata"`
	Managed           struct {
		Services *struct {
			DisabledDefaultServices []string  `json:"disabledDefaultServices"`
			Additional              []managed `json:"additional"`
		} `json:"services"`
	} `json:"managed"`
}

type inheritedMetadata struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

type credentials struct {
	Database string                       `json:"database"`
	Owner    string                       `json:"owner"`
	Secret   *corev1.LocalObjectReference `json:"secret"`
}

type storage struct {
	StorageClass       *string                           `json:"storageClass"`
	Size               string                            `json:"size"`
	ResizeInUseVolumes *bool                             `json:"resizeInUseVolumes"`
	PVCTemplate        *corev1.PersistentVolumeClaimSpec `json:"pvcTemplate"`
}

type affinity struct {
	EnablePodAntiAffinity     *bool                   `json:"enablePodAntiAffinity"`
	PodAntiAffinityType       string                  `json:"podAntiAffinityType"`
	TopologyKey               string                  `json:"topologyKey"`
	NodeSelector              map[string]string       `json:"nodeSelector"`
	NodeAffinity              *corev1.NodeAffinity    `json:"nodeAffinity"`
	Tolerations               []corev1.Toleration     `json:"tolerations"`
	AdditionalPodAntiAffinity *corev1.PodAntiAffinity `json:"additionalPodAntiAffinity"`
	AdditionalPodAffinity     *corev1.PodAffinity     `json:"additionalPodAffinity"`
}

// managed is a Service that a Cluster asks for beside its own.
type managed struct {
	SelectorType    string `json:"selectorType"`
	ServiceTemplate struct {
		Metadata struct {
			Name        string            `json:"name"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
		Spec corev1.ServiceSpec `json:"spec"`
	} `json:"serviceTemplate"`
}

// application returns the database and its owner, and the Secret in which the
// Cluster's author supplies the password; nil is none.
func (s clusterSpec) application() (database, owner string, secret *corev1.LocalObjectReference) {
	from := &credentials{}
	for _, c := range []*credentials{s.Bootstrap.InitDB, s.Bootstrap.Recovery, s.Bootstrap.Base} {
		if c != nil {
			from = c
			break
		}
	}
	database = cmp.Or(from.Database, "app")
	return database, cmp.Or(from.Owner, database), from.Secret
}

// bootstrap tells how the first instance is made, in the operator's words.
func (s clusterSpec) bootstrap() string {
	switch {
	case s.Bootstrap.Recovery != nil:
		return "from backup"
	case s.Bootstrap.Base != nil:
		return "from physical backup"
	}
	return "initdb"
}

// archives reports whether the Cluster's log is archived.
func (s clusterSpec) archives() bool {
	return s.Backup["barmanObjectStore"] != nil || len(s.Plugins) > 0
}

func instanceName(cluster string, serial int64) string { return fmt.Sprintf("%s-%d", cluster, serial) }
