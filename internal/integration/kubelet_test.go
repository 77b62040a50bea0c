package integration_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	kubescheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/standin/image"
)

// refuseImages is a look-up that finds nothing at one registry.
func refuseImages(_ context.Context, ref image.Reference, platform string, credentials bool) error {
	switch {
	case ref.Registry != "verified.example":
		return nil
	case !strings.HasPrefix(platform, "linux/") || credentials:
		return errors.New("asked for another node, or with credentials that nobody has")
	}
	return ref.Missing()
}

// checkKubelets checks what nodes and pods go through when something is wrong
// with them. What takes its time is begun first and looked at later.
func checkKubelets(t *testing.T, s *stage) {
	autoscaled := beginAutoscaling(t, s)
	for _, check := range []struct {
		name string
		f    func(*testing.T, *stage)
	}{
		{"CrashesWithoutItsDatabase", checkCrashesWithoutItsDatabase},
		{"FailingProbes", checkFailingProbes},
		{"VerifiedImageIsMissing", checkVerifiedImageIsMissing},
		{"ReadinessGate", checkReadinessGate},
		{"TerminatingWithFinalizer", checkTerminatingWithFinalizer},
		{"LogsAndExecSayThatThisIsARehearsal", checkLogsAndExec},
		{"RollingUpdateKeepsWhatServes", checkRollingUpdate},
		{"StatefulSetStartsInOrder", checkStatefulSetOrder},
		{"JobFailsAtItsLimit", checkJobFails},
		{"CronJob", checkCronJob},
		{"CordonAndEviction", checkCordonAndEviction},
		{"Drain", checkDrain},
		{"Autoscaling", autoscaled},
		{"NodePressure", checkNodePressure},
		{"NodeLost", checkNodeLost},
		{"VolumeIsAttachedToOneNode", checkVolumeIsAttachedToOneNode},
	} {
		t.Run(check.name, func(t *testing.T) { check.f(t, s) })
	}
}

// https://cloudnative-pg.io/documentation/current/service_management/ names
// the Services; what a container says last is documented at
// https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/.
func checkCrashesWithoutItsDatabase(t *testing.T, s *stage) {
	ns := s.namespace(t)
	url := "postgres://app:secret@db-rw." + ns + ".svc.cluster.local:5432/app"
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "db"}, StringData: map[string]string{"DB_URL": url}}
	pod := podOf(ns, "app", func(pod *corev1.Pod) {
		pod.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "db"}}}}
	})
	s.make(t, secret, pod)
	crashed := func(why string) func(*corev1.Pod) bool {
		return func(p *corev1.Pod) bool {
			reason, _ := waitingReason(p, "app")
			last := p.Status.ContainerStatuses
			return reason == "CrashLoopBackOff" && last[0].LastTerminationState.Terminated != nil &&
				last[0].LastTerminationState.Terminated.Message == "cannot reach the database that the variable DB_URL names: "+why
		}
	}
	awaitPod(t, s, pod, "crashing", crashed("there is no Service "+ns+"/db-rw"))
	service := serviceOf(ns, "db-rw", corev1.ServiceTypeClusterIP, nil)
	service.Spec.Selector = map[string]string{"app": "db"}
	s.make(t, service)
	awaitPod(t, s, pod, "crashing for want of endpoints", crashed("Service "+ns+"/db-rw has no ready endpoints"))
	s.make(t, podOf(ns, "db-1", func(pod *corev1.Pod) { pod.Labels = map[string]string{"app": "db"} }))
	awaitPod(t, s, pod, "ready with its database", isReady)
}

// https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
func checkFailingProbes(t *testing.T, s *stage) {
	ns := s.namespace(t)
	get := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(80)}}
	pod := podOf(ns, "app", func(pod *corev1.Pod) {
		pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: get}
	})
	lively := podOf(ns, "lively", func(pod *corev1.Pod) {
		pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: get}
		pod.Spec.Containers[0].LivenessProbe = &corev1.Probe{ProbeHandler: get}
	})
	lift := s.fault(t, "unhealthy="+ns+"/*")
	s.make(t, pod, lively)
	s.awaitEvent(t, ns, "app", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
	got := awaitPod(t, s, pod, "running and not ready", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning })
	if c := got.Status.ContainerStatuses[0]; isReady(got) || c.Ready || c.State.Running == nil || c.RestartCount != 0 {
		t.Errorf("%+v", got.Status)
	}
	s.awaitEvent(t, ns, "lively", "Killing", "Container app failed liveness probe, will be restarted")
	awaitPod(t, s, lively, "restarted", func(p *corev1.Pod) bool {
		c := p.Status.ContainerStatuses
		return len(c) > 0 && c[0].RestartCount > 0 && c[0].LastTerminationState.Terminated.ExitCode == 137
	})
	lift()
	awaitPod(t, s, pod, "ready once the fault is lifted", isReady)
	awaitPod(t, s, lively, "ready once the fault is lifted", isReady)
}

func checkVerifiedImageIsMissing(t *testing.T, s *stage) {
	ns := s.namespace(t)
	pod := podOf(ns, "app", func(pod *corev1.Pod) { pod.Spec.Containers[0].Image = "verified.example/app:v1" })
	never := podOf(ns, "never", func(pod *corev1.Pod) {
		pod.Spec.Containers[0].Image = "example.org/nowhere:1"
		pod.Spec.Containers[0].ImagePullPolicy = corev1.PullNever
	})
	invalid := podOf(ns, "invalid", func(pod *corev1.Pod) { pod.Spec.Containers[0].Image = "example.org/App:1" })
	s.make(t, pod, never, invalid)
	s.awaitEvent(t, ns, "app", "Failed", `failed to resolve reference "verified.example/app:v1": verified.example/app:v1: not found`)
	for _, c := range []struct {
		pod          *corev1.Pod
		reason, text string
	}{
		{never, "ErrImageNeverPull", `Container image "example.org/nowhere:1" is not present with pull policy of Never`},
		{invalid, "InvalidImageName", `couldn't parse image name "example.org/App:1"`},
	} {
		awaitPod(t, s, c.pod, c.reason, func(p *corev1.Pod) bool {
			reason, message := waitingReason(p, "app")
			return reason == c.reason && strings.Contains(message, c.text)
		})
	}
}

// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate
func checkReadinessGate(t *testing.T, s *stage) {
	ns := s.namespace(t)
	pod := podOf(ns, "app", func(pod *corev1.Pod) {
		pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.org/open"}}
	})
	s.make(t, pod)
	got := awaitPod(t, s, pod, "waiting at its gate", func(p *corev1.Pod) bool {
		return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Reason == "ReadinessGatesNotReady"
		})
	})
	before := got.DeepCopy()
	got.Status.Conditions = append(got.Status.Conditions, corev1.PodCondition{Type: "example.org/open", Status: corev1.ConditionTrue})
	if err := s.Status().Patch(t.Context(), got, client.StrategicMergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	awaitPod(t, s, pod, "ready behind its gate", isReady)
}

// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
func checkTerminatingWithFinalizer(t *testing.T, s *stage) {
	ns := s.namespace(t)
	pod := podOf(ns, "app", func(pod *corev1.Pod) {
		pod.Finalizers = []string{"example.org/hold"}
		pod.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}}}
	})
	s.make(t, pod)
	awaitPod(t, s, pod, "ready", isReady)
	if err := s.Delete(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	got := awaitPod(t, s, pod, "stopped", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded })
	if got.DeletionTimestamp == nil || got.Status.ContainerStatuses[0].State.Terminated == nil {
		t.Errorf("%+v", got.Status)
	}
	s.awaitEvent(t, ns, "app", "Killing", "Stopping container app")
	before := got.DeepCopy()
	got.Finalizers = nil
	if err := s.Patch(t.Context(), got, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(t, pod)
}

func checkLogsAndExec(t *testing.T, s *stage) {
	ns := s.namespace(t)
	pod := podOf(ns, "app", nil)
	s.make(t, pod)
	awaitPod(t, s, pod, "ready", isReady)
	kube, err := kubernetes.NewForConfig(s.Config())
	if err != nil {
		t.Fatal(err)
	}
	want := "this is a rehearsal, and pod " + ns + "/app is played by Hearth"
	logs, err := kube.CoreV1().Pods(ns).GetLogs("app", &corev1.PodLogOptions{}).DoRaw(t.Context())
	if err != nil || !strings.Contains(string(logs), want) {
		t.Errorf("logs: %q %v", logs, err)
	}
	request := kube.CoreV1().RESTClient().Post().Resource("pods").Namespace(ns).Name("app").SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Command: []string{"sh"}, Stdout: true}, kubescheme.ParameterCodec)
	executor, err := remotecommand.NewSPDYExecutor(s.Config(), "POST", request.URL())
	if err != nil {
		t.Fatal(err)
	}
	err = executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdout: &strings.Builder{}})
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("exec: %v", err)
	}
}

// https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
func checkCordonAndEviction(t *testing.T, s *stage) {
	ns := s.namespace(t)
	d := deploymentOf(ns, "web", 2)
	s.make(t, d, &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web"},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: ptr.To(intstr.FromInt32(2)), Selector: d.Spec.Selector,
		},
	})
	await(t, s, d, &appsv1.DeploymentList{}, "available", func(d *appsv1.Deployment) bool { return d.Status.AvailableReplicas == 2 })
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}}
	cordon := func(on bool) {
		patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"unschedulable":`+map[bool]string{true: "true", false: "null"}[on]+`}}`))
		if err := s.Patch(t.Context(), node, patch); err != nil {
			t.Fatal(err)
		}
		await(t, s, node, &corev1.NodeList{}, "tainted, or not any more", func(n *corev1.Node) bool {
			return on == slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeUnschedulable })
		})
	}
	cordon(true)
	defer cordon(false)
	pods := &corev1.PodList{}
	if err := s.List(t.Context(), pods, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	pod := &pods.Items[0]
	await(t, s, &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web"}}, &policyv1.PodDisruptionBudgetList{},
		"counted", func(b *policyv1.PodDisruptionBudget) bool { return b.Status.CurrentHealthy == 2 })
	evict := func() error {
		return s.SubResource("eviction").Create(t.Context(), pod, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: pod.Name}})
	}
	if err := evict(); !apierrors.IsTooManyRequests(err) {
		t.Errorf("the budget allows no eviction, and yet: %v", err)
	}
	if err := s.DeleteAllOf(t.Context(), &policyv1.PodDisruptionBudget{}, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(t, &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web"}})
	awaitEvicted(t, s, evict, pod)
	await(t, s, d, &appsv1.DeploymentList{}, "available again", func(d *appsv1.Deployment) bool {
		return d.Status.AvailableReplicas == 2 && d.Status.Replicas == 2
	})
}
