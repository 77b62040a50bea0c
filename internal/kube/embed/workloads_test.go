package embed

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

var labels = map[string]string{"app": "web"}

func podTemplate() corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "example.com/web:1"}}},
	}
}

func selector() *metav1.LabelSelector { return &metav1.LabelSelector{MatchLabels: labels} }

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

// pods waits for a number of pods in a namespace.
func pods(t *testing.T, client kubernetes.Interface, ns string, want int) []corev1.Pod {
	t.Helper()
	var items []corev1.Pod
	eventually(t, 10*time.Second, func() error {
		list, err := client.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		if items = list.Items; len(items) != want {
			return fmt.Errorf("%d pods, want %d", len(items), want)
		}
		return nil
	})
	return items
}

func TestWorkloadsMakePods(t *testing.T) {
	client := clientOf(t, shared)
	two := int32(2)
	create := metav1.CreateOptions{}
	for _, test := range []struct {
		kind string
		make func(ctx context.Context, ns string) error
		pods int
	}{
		{"Deployment", func(ctx context.Context, ns string) error {
			_, err := client.AppsV1().Deployments(ns).Create(ctx, &appsv1.Deployment{ObjectMeta: named("d"), Spec: appsv1.DeploymentSpec{Replicas: &two, Selector: selector(), Template: podTemplate()}}, create)
			return err
		}, 2},
		{"StatefulSet", func(ctx context.Context, ns string) error {
			_, err := client.AppsV1().StatefulSets(ns).Create(ctx, &appsv1.StatefulSet{ObjectMeta: named("s"), Spec: appsv1.StatefulSetSpec{Replicas: &two, Selector: selector(), Template: podTemplate(), PodManagementPolicy: appsv1.ParallelPodManagement}}, create)
			return err
		}, 2},
		{"Job", func(ctx context.Context, ns string) error {
			template := podTemplate()
			template.Spec.RestartPolicy = corev1.RestartPolicyNever
			_, err := client.BatchV1().Jobs(ns).Create(ctx, &batchv1.Job{ObjectMeta: named("j"), Spec: batchv1.JobSpec{Template: template}}, create)
			return err
		}, 1},
	} {
		t.Run(test.kind, func(t *testing.T) {
			ns := newNamespace(t, client)
			if err := test.make(t.Context(), ns); err != nil {
				t.Fatal(err)
			}
			for _, pod := range pods(t, client, ns, test.pods) {
				if pod.Status.Phase != corev1.PodPending || pod.Spec.NodeName != "" {
					t.Errorf("without nodes, pod %s is %s on %q", pod.Name, pod.Status.Phase, pod.Spec.NodeName)
				}
			}
		})
	}
}

func TestGarbageIsCollected(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	one := int32(1)
	_, err := client.AppsV1().Deployments(ns).Create(t.Context(), &appsv1.Deployment{ObjectMeta: named("d"), Spec: appsv1.DeploymentSpec{Replicas: &one, Selector: selector(), Template: podTemplate()}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pods(t, client, ns, 1)
	if err := client.AppsV1().Deployments(ns).Delete(t.Context(), "d", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	pods(t, client, ns, 0)
}

func TestNamespaceGoesPromptly(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	for i := range 20 {
		if _, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: named(fmt.Sprint("c", i))}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	if err := client.CoreV1().Namespaces().Delete(t.Context(), ns, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	// The stock controller takes ten seconds.
	eventually(t, 5*time.Second, func() error {
		_, err := client.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errNotYet
	})
	t.Logf("gone after %s", time.Since(began))
}

// TestNamespaceFollowsItsPods has a pod end slowly, as a kubelet would have it.
func TestNamespaceFollowsItsPods(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	template := podTemplate()
	template.Spec.NodeName = addNode(t, client)
	eventually(t, 5*time.Second, func() error {
		_, err := client.CoreV1().Pods(ns).Create(t.Context(), &corev1.Pod{ObjectMeta: named("web"), Spec: template.Spec}, metav1.CreateOptions{})
		return err
	})
	if err := client.CoreV1().Namespaces().Delete(t.Context(), ns, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond)
	if _, err := client.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{}); err != nil {
		t.Fatalf("the namespace did not wait for its pod: %v", err)
	}
	began := time.Now()
	if err := client.CoreV1().Pods(ns).Delete(t.Context(), "web", *metav1.NewDeleteOptions(0)); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, func() error {
		_, err := client.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errNotYet
	})
	t.Logf("gone %s after its last pod", time.Since(began))
}

func TestNamespaceGetsAccountAndRootCA(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	eventually(t, 5*time.Second, func() error {
		if _, err := client.CoreV1().ServiceAccounts(ns).Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
			return err
		}
		ca, err := client.CoreV1().ConfigMaps(ns).Get(t.Context(), "kube-root-ca.crt", metav1.GetOptions{})
		if err == nil && ca.Data["ca.crt"] != string(shared.keys.ca.certPEM) {
			err = fmt.Errorf("the published CA is not that of the API server")
		}
		return err
	})
}

// addNode makes a node that pods can be bound to.
func addNode(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	capacity := corev1.ResourceList{"cpu": resource.MustParse("8"), "memory": resource.MustParse("16Gi"), "pods": resource.MustParse("110")}
	node, err := client.CoreV1().Nodes().Create(t.Context(), &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "node-"},
		Status: corev1.NodeStatus{
			Capacity: capacity, Allocatable: capacity,
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.CoreV1().Nodes().Delete(context.Background(), node.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	eventually(t, 5*time.Second, func() error {
		latest, err := client.CoreV1().Nodes().Get(t.Context(), node.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		latest.Spec.Taints = nil
		_, err = client.CoreV1().Nodes().Update(t.Context(), latest, metav1.UpdateOptions{})
		return err
	})
	return node.Name
}

// TestProvisionerOutsideBindsClaims plays a provisioner that waits for the
// first consumer.
func TestProvisionerOutsideBindsClaims(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	node := addNode(t, client)
	create := metav1.CreateOptions{}
	wait := storagev1.VolumeBindingWaitForFirstConsumer
	class, err := client.StorageV1().StorageClasses().Create(t.Context(), &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "wait-"}, Provisioner: "disks.example.com", VolumeBindingMode: &wait,
	}, create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.StorageV1().StorageClasses().Delete(context.Background(), class.Name, metav1.DeleteOptions{})
	})
	size := corev1.ResourceList{"storage": resource.MustParse("1Gi")}
	once := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	claim, err := client.CoreV1().PersistentVolumeClaims(ns).Create(t.Context(), &corev1.PersistentVolumeClaim{ObjectMeta: named("data"), Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: once, StorageClassName: &class.Name, Resources: corev1.VolumeResourceRequirements{Requests: size},
	}}, create)
	if err != nil {
		t.Fatal(err)
	}
	template := podTemplate()
	template.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	eventually(t, 5*time.Second, func() error { // until there is a service account
		_, err := client.CoreV1().Pods(ns).Create(t.Context(), &corev1.Pod{ObjectMeta: named("web"), Spec: template.Spec}, create)
		return err
	})
	eventually(t, 10*time.Second, func() error {
		claim, err = client.CoreV1().PersistentVolumeClaims(ns).Get(t.Context(), "data", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if claim.Annotations["volume.kubernetes.io/selected-node"] != node || claim.Annotations["volume.kubernetes.io/storage-provisioner"] != "disks.example.com" {
			return fmt.Errorf("the claim's annotations are %v", claim.Annotations)
		}
		return nil
	})
	volume, err := client.CoreV1().PersistentVolumes().Create(t.Context(), &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "pv-", Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": "disks.example.com"}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: size, AccessModes: once, StorageClassName: class.Name,
			ClaimRef:               &corev1.ObjectReference{Namespace: ns, Name: "data", UID: claim.UID},
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "disks.example.com", VolumeHandle: "1"}},
		},
	}, create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.CoreV1().PersistentVolumes().Delete(context.Background(), volume.Name, metav1.DeleteOptions{})
	})
	eventually(t, 10*time.Second, func() error {
		pod, err := client.CoreV1().Pods(ns).Get(t.Context(), "web", metav1.GetOptions{})
		if err == nil && pod.Spec.NodeName != node {
			err = fmt.Errorf("the pod is on %q", pod.Spec.NodeName)
		}
		return err
	})
	if err := client.CoreV1().Pods(ns).Delete(t.Context(), "web", *metav1.NewDeleteOptions(0)); err != nil {
		t.Error(err)
	}
}

func TestBudgetsAndQuotasGetAStatus(t *testing.T) {
	client := clientOf(t, shared)
	ns := newNamespace(t, client)
	one := intstr.FromInt32(1)
	_, err := client.PolicyV1().PodDisruptionBudgets(ns).Create(t.Context(), &policyv1.PodDisruptionBudget{
		ObjectMeta: named("web"), Spec: policyv1.PodDisruptionBudgetSpec{MinAvailable: &one, Selector: selector()},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CoreV1().ResourceQuotas(ns).Create(t.Context(), &corev1.ResourceQuota{
		ObjectMeta: named("few"), Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"pods": resource.MustParse("3")}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, 15*time.Second, func() error {
		budget, err := client.PolicyV1().PodDisruptionBudgets(ns).Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			return err
		}
		quota, err := client.CoreV1().ResourceQuotas(ns).Get(t.Context(), "few", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if len(budget.Status.Conditions) == 0 || len(quota.Status.Hard) == 0 {
			return fmt.Errorf("budget %+v, quota %+v", budget.Status, quota.Status)
		}
		return nil
	})
}
