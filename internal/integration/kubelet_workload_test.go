package integration_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubectl/pkg/drain"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
func checkRollingUpdate(t *testing.T, s *stage) {
	ns := s.namespace(t)
	d := deploymentOf(ns, "web", 2)
	none, one := intstr.FromInt32(0), intstr.FromInt32(1)
	d.Spec.Strategy = appsv1.DeploymentStrategy{
		Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &none, MaxSurge: &one},
	}
	s.make(t, d)
	got := await(t, s, d, &appsv1.DeploymentList{}, "available", func(d *appsv1.Deployment) bool { return d.Status.AvailableReplicas == 2 })
	lift := s.fault(t, "image-missing=example.org/app:2")
	before := got.DeepCopy()
	got.Spec.Template.Spec.Containers[0].Image = "example.org/app:2"
	if err := s.Patch(t.Context(), got, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	await(t, s, d, &appsv1.DeploymentList{}, "held up by its new pod", func(d *appsv1.Deployment) bool {
		return d.Status.UpdatedReplicas == 1 && d.Status.Replicas == 3 && d.Status.AvailableReplicas == 2 && d.Status.UnavailableReplicas == 1
	})
	lift()
	await(t, s, d, &appsv1.DeploymentList{}, "rolled out", func(d *appsv1.Deployment) bool {
		return d.Status.UpdatedReplicas == 2 && d.Status.Replicas == 2 && d.Status.AvailableReplicas == 2
	})
}

// https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#orderedready-pod-management
func checkStatefulSetOrder(t *testing.T, s *stage) {
	ns := s.namespace(t)
	labels := map[string]string{"app": "db"}
	set := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "db"},
		Spec: appsv1.StatefulSetSpec{
			Replicas: ptr.To(int32(2)), ServiceName: "db", Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podOf("", "", nil).Spec},
		},
	}
	set.Spec.Template.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}}
	lift := s.fault(t, "unhealthy="+ns+"/db-0")
	s.make(t, set)
	first := podOf(ns, "db-0", nil)
	awaitPod(t, s, first, "running and not ready", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning && !isReady(p) })
	second := podOf(ns, "db-1", nil)
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(second), second); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the second pod does not wait for the first: %v", err)
	}
	lift()
	await(t, s, set, &appsv1.StatefulSetList{}, "ready", func(set *appsv1.StatefulSet) bool { return set.Status.ReadyReplicas == 2 })
}

// https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
func checkJobFails(t *testing.T, s *stage) {
	ns := s.namespace(t)
	s.fault(t, "crash="+ns+"/once")
	spec := podOf("", "", nil).Spec
	spec.RestartPolicy = corev1.RestartPolicyNever
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "once"},
		Spec:       batchv1.JobSpec{BackoffLimit: ptr.To(int32(0)), Template: corev1.PodTemplateSpec{Spec: spec}},
	}
	s.make(t, job)
	await(t, s, job, &batchv1.JobList{}, "failed", func(j *batchv1.Job) bool {
		return slices.ContainsFunc(j.Status.Conditions, func(c batchv1.JobCondition) bool {
			return c.Type == batchv1.JobFailed && c.Status == corev1.ConditionTrue && c.Reason == batchv1.JobReasonBackoffLimitExceeded
		})
	})
}

// https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
func checkCronJob(t *testing.T, s *stage) {
	ns := s.namespace(t)
	spec := podOf("", "", nil).Spec
	spec.RestartPolicy = corev1.RestartPolicyOnFailure
	cron := &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "backup"},
		Spec: batchv1.CronJobSpec{
			Schedule:    "* * * * *",
			JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: spec}}},
		},
	}
	s.make(t, cron)
	// What "kubectl create job --from" makes runs as well.
	byHand := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "by-hand"}, Spec: *cron.Spec.JobTemplate.Spec.DeepCopy()}
	s.make(t, byHand)
	await(t, s, byHand, &batchv1.JobList{}, "complete", func(j *batchv1.Job) bool { return j.Status.Succeeded == 1 })
	// A run that was missed is made up for, so that nobody waits for the minute.
	before := cron.DeepCopy()
	cron.Status.LastScheduleTime = ptr.To(metav1.NewTime(time.Now().Add(-2 * time.Minute)))
	if err := s.Status().Patch(t.Context(), cron, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	await(t, s, cron, &batchv1.CronJobList{}, "run to a good end", func(c *batchv1.CronJob) bool { return c.Status.LastSuccessfulTime != nil })
}

// https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
func checkDrain(t *testing.T, s *stage) {
	ns := s.namespace(t)
	d := deploymentOf(ns, "web", 1)
	d.Spec.Template.Spec.Affinity = preferNode("node-1")
	s.make(t, d, &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web"},
		Spec:       policyv1.PodDisruptionBudgetSpec{MaxUnavailable: ptr.To(intstr.FromInt32(1)), Selector: d.Spec.Selector},
	})
	await(t, s, d, &appsv1.DeploymentList{}, "available", func(d *appsv1.Deployment) bool { return d.Status.AvailableReplicas == 1 })
	first := onlyPod(t, s, ns, "node-1")
	kube, err := kubernetes.NewForConfig(s.Config())
	if err != nil {
		t.Fatal(err)
	}
	helper := &drain.Helper{
		Ctx: t.Context(), Client: kube, GracePeriodSeconds: -1, Timeout: time.Minute, IgnoreAllDaemonSets: true,
		PodSelector: "app=web", Out: io.Discard, ErrOut: io.Discard,
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}}
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(node), node); err != nil {
		t.Fatal(err)
	}
	if err := drain.RunCordonOrUncordon(helper, node, true); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := drain.RunCordonOrUncordon(helper, node, false); err != nil {
			t.Error(err)
		}
	}()
	if err := drain.RunNodeDrain(helper, node.Name); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(t, first)
	await(t, s, d, &appsv1.DeploymentList{}, "available elsewhere", func(d *appsv1.Deployment) bool { return d.Status.AvailableReplicas == 1 })
	pods := &corev1.PodList{}
	if err := s.List(t.Context(), pods, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if strings.HasPrefix(pod.Name, "web-") && pod.Spec.NodeName == "node-1" {
			t.Errorf("pod %s runs on the node that was drained", pod.Name)
		}
	}
}
