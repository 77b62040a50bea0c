package integration_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/domain"
	"hearth/internal/standin/kubelet"
)

func deploymentOf(namespace, name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       podOf("", "", nil).Spec,
			},
		},
	}
}

func checkNodesAreReady(t *testing.T, s *stage) {
	for _, name := range []string{"node-1", "node-2", "node-3"} {
		await(t, s, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, &corev1.NodeList{}, "registered", func(n *corev1.Node) bool {
			return len(n.Spec.Taints) == 0
		})
	}
	nodes := &corev1.NodeList{}
	if err := s.List(t.Context(), nodes); err != nil {
		t.Fatal(err)
	}
	if len(nodes.Items) < 3 {
		t.Fatalf("%d nodes, want three assumed ones at least", len(nodes.Items))
	}
	for _, node := range nodes.Items {
		ready := slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
		})
		if !ready || len(node.Spec.Taints) > 0 {
			t.Errorf("node %s: ready %v, taints %v", node.Name, ready, node.Spec.Taints)
		}
		await(t, s, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: node.Name}}, &coordinationv1.LeaseList{},
			"renewed", func(l *coordinationv1.Lease) bool { return l.Spec.RenewTime != nil })
	}
	if !slices.ContainsFunc(s.assumptions.List(), func(a domain.Assumption) bool {
		return a.Kind == domain.AssumedNode && a.Subject == "node-1, node-2, node-3"
	}) {
		t.Errorf("the nodes are no assumption: %v", s.assumptions.List())
	}
}

func checkDeploymentBecomesAvailable(t *testing.T, s *stage) {
	ns := s.namespace(t)
	d := deploymentOf(ns, "web", 3)
	s.make(t, d)
	await(t, s, d, &appsv1.DeploymentList{}, "available", func(d *appsv1.Deployment) bool { return d.Status.AvailableReplicas == 3 })

	pods := &corev1.PodList{}
	if err := s.List(t.Context(), pods, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	addresses := map[string]bool{}
	for _, pod := range pods.Items {
		addresses[pod.Status.PodIP] = true
		if pod.Status.Phase != corev1.PodRunning || !isReady(&pod) || pod.Status.HostIP == "" || pod.Status.StartTime == nil {
			t.Errorf("pod %s: %+v", pod.Name, pod.Status)
		}
		if got := podCondition(&pod, corev1.PodReadyToStartContainers); got != corev1.ConditionTrue {
			t.Errorf("pod %s: PodReadyToStartContainers is %s", pod.Name, got)
		}
		if pod.Status.QOSClass != corev1.PodQOSBestEffort {
			t.Errorf("pod %s: the QoS class is %q now", pod.Name, pod.Status.QOSClass)
		}
	}
	if len(addresses) != 3 || addresses[""] {
		t.Errorf("pod addresses %v are not three different ones", addresses)
	}
	s.awaitEvent(t, ns, pods.Items[0].Name, "Started", "Container started")

	if err := s.Delete(t.Context(), d, client.PropagationPolicy(metav1.DeletePropagationForeground)); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(t, d)
}

func checkPodWaitsForWhatItRefersTo(t *testing.T, s *stage) {
	secretEnv := func(optional bool) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "X", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "later"}, Key: "key", Optional: &optional,
			}}}}
		}
	}
	volume := func(source corev1.VolumeSource) func(*corev1.Pod) {
		return func(pod *corev1.Pod) { pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: source}} }
	}
	for name, c := range map[string]struct {
		change          func(*corev1.Pod)
		reason, message string // "" is not at all
		event           string
		bring           []client.Object
	}{
		"env of a key": {
			change: secretEnv(false), reason: "CreateContainerConfigError", message: `secret "later" not found`, event: `Error: secret "later" not found`,
			bring: []client.Object{&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "later"}, StringData: map[string]string{"key": "x"}}},
		},
		"optional env of a key": {change: secretEnv(true)},
		"envFrom a ConfigMap": {
			change: func(pod *corev1.Pod) {
				pod.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "later"}}}}
			},
			reason: "CreateContainerConfigError", message: `configmap "later" not found`, event: `Error: configmap "later" not found`,
			bring: []client.Object{&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "later"}}},
		},
		"volume of a Secret": {
			change: volume(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "later"}}),
			reason: "ContainerCreating", event: `MountVolume.SetUp failed for volume "v" : secret "later" not found`,
			bring: []client.Object{&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "later"}}},
		},
		"optional volume of a Secret": {
			change: volume(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "never", Optional: ptr.To(true)}}),
		},
		"projected volume": {
			change: volume(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "later"}}},
				{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "later"}}},
			}}}),
			reason: "ContainerCreating", event: `MountVolume.SetUp failed for volume "v" : [secret "later" not found, configmap "later" not found]`,
			bring: []client.Object{
				&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "later"}},
				&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "later"}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ns := s.namespace(t)
			pod := podOf(ns, "waits", c.change)
			s.make(t, pod)
			if c.reason != "" {
				s.awaitEvent(t, ns, pod.Name, map[bool]string{true: "FailedMount", false: "Failed"}[c.reason == "ContainerCreating"], c.event)
				got := awaitPod(t, s, pod, c.reason, func(p *corev1.Pod) bool { r, _ := waitingReason(p, "app"); return r == c.reason })
				if _, message := waitingReason(got, "app"); message != c.message {
					t.Errorf("it waits with the message %q, want %q", message, c.message)
				}
				if isReady(got) || got.Status.Phase != corev1.PodPending {
					t.Errorf("it is %s, ready %v, while it waits", got.Status.Phase, isReady(got))
				}
			}
			for _, obj := range c.bring {
				obj.SetNamespace(ns)
				s.make(t, obj)
			}
			got := awaitPod(t, s, pod, "ready", isReady)
			for _, condition := range got.Status.Conditions {
				if condition.Status == corev1.ConditionTrue && (condition.Reason != "" || condition.Message != "") {
					t.Errorf("condition %s is True, and still says %q %q", condition.Type, condition.Reason, condition.Message)
				}
			}
		})
	}
}

func checkMissingKeyIsNamed(t *testing.T, s *stage) {
	ns := s.namespace(t)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "s"}, StringData: map[string]string{"other": "x"}}
	pod := podOf(ns, "p", func(pod *corev1.Pod) {
		pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "X", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "key"}}}}
	})
	s.make(t, secret, pod)
	want := fmt.Sprintf("couldn't find key key in Secret %s/s", ns)
	awaitPod(t, s, pod, want, func(p *corev1.Pod) bool { _, m := waitingReason(p, "app"); return m == want })
	secret.StringData = map[string]string{"key": "x"}
	if err := s.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	awaitPod(t, s, pod, "ready", isReady)
}

func checkInitContainersRunInOrder(t *testing.T, s *stage) {
	ns := s.namespace(t)
	always := corev1.ContainerRestartPolicyAlways
	pod := podOf(ns, "p", func(pod *corev1.Pod) {
		pod.Spec.InitContainers = []corev1.Container{
			{Name: "first", Image: "example.org/init:1"},
			{Name: "side", Image: "example.org/side:1", RestartPolicy: &always},
			{Name: "second", Image: "example.org/init:1", EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "later"}}}}},
		}
	})
	s.make(t, pod)
	got := awaitPod(t, s, pod, "waiting in its third init container", func(p *corev1.Pod) bool {
		r, _ := waitingReason(p, "second")
		return r == "CreateContainerConfigError"
	})
	inits := got.Status.InitContainerStatuses
	if inits[0].State.Terminated == nil || inits[0].State.Terminated.ExitCode != 0 || inits[1].State.Running == nil {
		t.Errorf("before the third: %+v", inits[:2])
	}
	if reason, _ := waitingReason(got, "app"); reason != "PodInitializing" || podCondition(got, corev1.PodInitialized) != corev1.ConditionFalse {
		t.Errorf("the container waits for %q, Initialized is %s", reason, podCondition(got, corev1.PodInitialized))
	}
	s.make(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "later"}})
	got = awaitPod(t, s, pod, "ready", isReady)
	if side := got.Status.InitContainerStatuses[1]; side.State.Running == nil || !side.Ready {
		t.Errorf("the sidecar does not stay: %+v", side)
	}
	if s.durations.of(domain.Ref{Kind: "Pod", Namespace: ns, Name: "p"}, kubelet.StepInit) == 0 {
		t.Error("nobody was told how long the init containers take")
	}
}

func checkJobCompletes(t *testing.T, s *stage) {
	ns := s.namespace(t)
	spec := podOf("", "", nil).Spec
	spec.RestartPolicy = corev1.RestartPolicyOnFailure
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "once"}, Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: spec}}}
	s.make(t, job)
	await(t, s, job, &batchv1.JobList{}, "complete", func(j *batchv1.Job) bool {
		return j.Status.Succeeded == 1 && slices.ContainsFunc(j.Status.Conditions, func(c batchv1.JobCondition) bool {
			return c.Type == batchv1.JobComplete && c.Status == corev1.ConditionTrue
		})
	})
}

func checkCrashBackOff(t *testing.T, s *stage) {
	ns := s.namespace(t)
	lift := s.fault(t, "crash="+ns+"/crashes")
	pod := podOf(ns, "crashes", nil)
	s.make(t, pod)
	got := awaitPod(t, s, pod, "restarted seven times", func(p *corev1.Pod) bool {
		return len(p.Status.ContainerStatuses) > 0 && p.Status.ContainerStatuses[0].RestartCount >= 6 && p.Status.ContainerStatuses[0].State.Waiting != nil
	})
	c := got.Status.ContainerStatuses[0]
	if got.Status.Phase != corev1.PodRunning || c.LastTerminationState.Terminated == nil || c.LastTerminationState.Terminated.ExitCode != 1 {
		t.Errorf("phase %s, container %+v", got.Status.Phase, c)
	}
	// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
	want := fmt.Sprintf("back-off 5m0s restarting failed container=app pod=crashes_%s(%s)", ns, got.UID)
	if c.State.Waiting.Reason != "CrashLoopBackOff" || c.State.Waiting.Message != want {
		t.Errorf("it waits with %q: %q, want %q", c.State.Waiting.Reason, c.State.Waiting.Message, want)
	}
	lift()
	awaitPod(t, s, pod, "ready once the fault is lifted", isReady)
}

func checkCrashWithoutRestartFails(t *testing.T, s *stage) {
	ns := s.namespace(t)
	s.fault(t, "crash="+ns+"/fails")
	pod := podOf(ns, "fails", func(pod *corev1.Pod) {
		pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	})
	s.make(t, pod)
	awaitPod(t, s, pod, "failed", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })
}

// https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff
func checkImageThatCannotBePulled(t *testing.T, s *stage) {
	ns := s.namespace(t)
	lift := s.fault(t, "image-missing=missing.example/app:1")
	pod := podOf(ns, "p", func(pod *corev1.Pod) {
		pod.Spec.Containers[0].Image = "missing.example/app:1"
		pod.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "registry"}}
	})
	s.make(t, pod)
	s.awaitEvent(t, ns, "p", "Failed", "Error: ErrImagePull")
	awaitPod(t, s, pod, "backing off", func(p *corev1.Pod) bool {
		reason, message := waitingReason(p, "app")
		return reason == "ImagePullBackOff" && strings.HasPrefix(message, `Back-off pulling image "missing.example/app:1": ErrImagePull: rpc error: code = NotFound`)
	})
	s.awaitEvent(t, ns, "p", "BackOff", `Back-off pulling image "missing.example/app:1"`)
	s.awaitEvent(t, ns, "p", "FailedToRetrieveImagePullSecret",
		"Unable to retrieve some image pull secrets (registry); attempting to pull the image may not succeed.")
	lift()
	awaitPod(t, s, pod, "ready once the fault is lifted", isReady)
}

func checkDeviceResourcesAndLabelsAreAssumed(t *testing.T, s *stage) {
	ns := s.namespace(t)
	device := podOf(ns, "device", func(pod *corev1.Pod) {
		pod.Spec.Containers[0].Resources.Limits = corev1.ResourceList{"gpu.example.org/card": resource.MustParse("1")}
	})
	labelled := podOf(ns, "labelled", func(pod *corev1.Pod) {
		pod.Spec.NodeSelector = map[string]string{"example.org/disk": "fast"}
	})
	named := podOf(ns, "named", func(pod *corev1.Pod) {
		pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
				{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{"rack-7"}},
				{Key: "example.org/role", Operator: corev1.NodeSelectorOpExists},
			}}},
		}}}
	})
	s.make(t, device, labelled, named)
	awaitPod(t, s, device, "ready", isReady)
	awaitPod(t, s, labelled, "ready", isReady)
	if got := awaitPod(t, s, named, "ready", isReady); got.Spec.NodeName != "rack-7" {
		t.Errorf("the pod runs on %s", got.Spec.NodeName)
	}
	var subjects []string
	for _, a := range s.assumptions.List() {
		if a.Kind == domain.AssumedNode && strings.Contains(a.Reason, ns) {
			subjects = append(subjects, a.Subject)
		}
	}
	if diff := cmp.Diff([]string{"gpu.example.org/card", "node-1 example.org/disk=fast", "rack-7"}, subjects); diff != "" {
		t.Errorf("assumed (-want +got):\n%s", diff)
	}
}
