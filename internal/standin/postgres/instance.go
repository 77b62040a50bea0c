package postgres

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// labels are those of everything that belongs to the Cluster.
func (c *cluster) labels() map[string]string {
	labels := maps.Clone(c.spec.InheritedMetadata.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, map[string]string{
		labelCluster:                   c.Object.GetName(),
		"app.kubernetes.io/name":       "postgresql",
		"app.kubernetes.io/instance":   c.Object.GetName(),
		"app.kubernetes.io/component":  "database",
		"app.kubernetes.io/managed-by": component,
	})
	return labels
}

// meta are an instance's name, labels and serial number.
func (c *cluster) meta(name string, n int64, role string) metav1.ObjectMeta {
	labels := c.labels()
	labels[labelInstance] = instanceName(c.Object.GetName(), n)
	labels[labelRole], labels[labelOldRole] = role, role
	annotations := maps.Clone(c.spec.InheritedMetadata.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[serial] = strconv.FormatInt(n, 10)
	return metav1.ObjectMeta{
		Namespace: c.Object.GetNamespace(), Name: name, Labels: labels, Annotations: annotations,
	}
}

// image is what the instances run.
func (c *cluster) image() string { return cmp.Or(c.spec.ImageName, defaultImage) }

// makeClaims makes an instance's volumes.
func (c *cluster) makeClaims(ctx context.Context, n int64, role string) error {
	name := instanceName(c.Object.GetName(), n)
	if err := c.makeClaim(ctx, name, n, role, "PG_DATA", c.spec.Storage); err != nil || c.spec.WALStorage == nil {
		return err
	}
	return c.makeClaim(ctx, name+"-wal", n, role, "PG_WAL", *c.spec.WALStorage)
}

func (c *cluster) makeClaim(ctx context.Context, name string, n int64, role, pvcRole string, s storage) error {
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: c.meta(name, n, role)}
	claim.Labels["cnpg.io/pvcRole"] = pvcRole
	claim.Annotations["cnpg.io/pvcStatus"] = "ready"
	if s.PVCTemplate != nil {
		claim.Spec = *s.PVCTemplate.DeepCopy()
	}
	if claim.Spec.AccessModes == nil {
		claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	}
	if s.StorageClass != nil {
		claim.Spec.StorageClassName = s.StorageClass
	}
	if s.Size != "" {
		size, err := resource.ParseQuantity(s.Size)
		if err != nil {
			c.Refuse(fmt.Errorf("the size %q is no quantity", s.Size))
			return nil
		}
		claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: size}
	}
	obj, err := unstruct(claim, claimKind)
	if err != nil {
		return err
	}
	_, err = c.Make(ctx, obj, true)
	return err
}

// resize asks for the size that the Cluster has now.
func (c *cluster) resize(ctx context.Context) error {
	size, err := resource.ParseQuantity(c.spec.Storage.Size)
	if err != nil || c.spec.Storage.ResizeInUseVolumes != nil && !*c.spec.Storage.ResizeInUseVolumes {
		return nil
	}
	for _, claim := range c.claims {
		if size.Cmp(claim.Spec.Resources.Requests[corev1.ResourceStorage]) <= 0 {
			continue
		}
		before := claim.DeepCopy()
		claim.Spec.Resources.Requests[corev1.ResourceStorage] = size
		if err := c.Client.Patch(ctx, claim, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("resize the volume %s/%s: %w", claim.Namespace, claim.Name, err)
		}
	}
	return nil
}

// makePod makes an instance's pod.
func (c *cluster) makePod(ctx context.Context, n int64, role string) error {
	name := instanceName(c.Object.GetName(), n)
	grace := int64(1800)
	pod := &corev1.Pod{ObjectMeta: c.meta(name, n, role), Spec: corev1.PodSpec{
		Hostname: name, TerminationGracePeriodSeconds: &grace,
		NodeSelector: c.spec.Affinity.NodeSelector, Tolerations: c.spec.Affinity.Tolerations, Affinity: c.affinity(),
		ImagePullSecrets: c.spec.ImagePullSecrets, PriorityClassName: c.spec.PriorityClassName,
		Containers: []corev1.Container{{
			Name: "postgres", Image: c.image(), Resources: c.spec.Resources,
			Ports: []corev1.ContainerPort{
				{Name: "postgresql", ContainerPort: 5432}, {Name: "metrics", ContainerPort: 9187}, {Name: "status", ContainerPort: 8000},
			},
			StartupProbe:   probe("/startupz"),
			LivenessProbe:  probe("/healthz"),
			ReadinessProbe: probe("/readyz"),
			VolumeMounts:   []corev1.VolumeMount{{Name: "pgdata", MountPath: "/var/lib/postgresql/data"}},
		}},
		Volumes: []corev1.Volume{volume("pgdata", name)},
	}}
	pod.Labels["cnpg.io/podRole"] = "instance"
	if c.spec.WALStorage != nil {
		pod.Spec.Volumes = append(pod.Spec.Volumes, volume("pg-wal", name+"-wal"))
		pod.Spec.Containers[0].VolumeMounts = append(pod.Spec.Containers[0].VolumeMounts, corev1.VolumeMount{Name: "pg-wal", MountPath: "/var/lib/postgresql/wal"})
	}
	obj, err := unstruct(pod, podKind)
	if err != nil {
		return err
	}
	if _, err := c.Make(ctx, obj, true); err != nil {
		return err
	}
	c.madeNow(n)
	return nil
}

func volume(name, claim string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim},
	}}
}

func probe(path string) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(8000), Scheme: corev1.URISchemeHTTPS}},
		PeriodSeconds: 10, TimeoutSeconds: 5, FailureThreshold: 3,
	}
}

// affinity keeps instances apart: where possible, or always if that is asked for.
func (c *cluster) affinity() *corev1.Affinity {
	a := c.spec.Affinity
	out := &corev1.Affinity{NodeAffinity: a.NodeAffinity, PodAffinity: a.AdditionalPodAffinity, PodAntiAffinity: a.AdditionalPodAntiAffinity.DeepCopy()}
	if a.EnablePodAntiAffinity != nil && !*a.EnablePodAntiAffinity {
		return out
	}
	if out.PodAntiAffinity == nil {
		out.PodAntiAffinity = &corev1.PodAntiAffinity{}
	}
	term := corev1.PodAffinityTerm{
		LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelCluster: c.Object.GetName(), "cnpg.io/podRole": "instance"}},
		TopologyKey:   cmp.Or(a.TopologyKey, corev1.LabelHostname),
	}
	anti := out.PodAntiAffinity
	if a.PodAntiAffinityType == "required" {
		anti.RequiredDuringSchedulingIgnoredDuringExecution = append(anti.RequiredDuringSchedulingIgnoredDuringExecution, term)
		return out
	}
	anti.PreferredDuringSchedulingIgnoredDuringExecution = append(anti.PreferredDuringSchedulingIgnoredDuringExecution,
		corev1.WeightedPodAffinityTerm{Weight: 100, PodAffinityTerm: term})
	return out
}
