package kubelet

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// lacking is an init container whose database is not there.
func lacking(policy *corev1.ContainerRestartPolicy) corev1.Container {
	return corev1.Container{
		Name: "init", Image: "example.org/init:1", RestartPolicy: policy,
		Env: []corev1.EnvVar{{Name: "DB_HOST", Value: "db.home.svc"}},
	}
}

// https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#detailed-behavior
// and https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#individual-container-restart-rules
func TestInitContainersByTheirRestartPolicy(t *testing.T) {
	never, onFailure := corev1.ContainerRestartPolicyNever, corev1.ContainerRestartPolicyOnFailure
	for name, c := range map[string]struct {
		pod   corev1.RestartPolicy
		own   *corev1.ContainerRestartPolicy
		fails bool
	}{
		"Always":                           {corev1.RestartPolicyAlways, nil, false},
		"OnFailure":                        {corev1.RestartPolicyOnFailure, nil, false},
		"Never":                            {corev1.RestartPolicyNever, nil, true},
		"Never of its own":                 {corev1.RestartPolicyAlways, &never, true},
		"OnFailure of its own, else Never": {corev1.RestartPolicyNever, &onFailure, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			l := w.live(t, "app", func(pod *corev1.Pod) {
				pod.Spec.RestartPolicy = c.pod
				pod.Spec.InitContainers = []corev1.Container{lacking(c.own)}
			})
			if c.fails {
				s := l.until("failed", func(s *corev1.PodStatus) bool { return s.Phase == corev1.PodFailed })
				if end := s.InitContainerStatuses[0].State.Terminated; end == nil || end.ExitCode != 1 || s.ContainerStatuses[0].State.Waiting == nil {
					t.Errorf("%+v", s)
				}
				return
			}
			s := l.until("crashing", func(s *corev1.PodStatus) bool { return waits(s, "init") == reasonCrashLoop })
			if s.Phase != corev1.PodPending || waits(s, "app") != reasonInitializing {
				t.Errorf("%+v", s)
			}
			service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "home", Name: "db"}}
			if err := w.client.Create(t.Context(), service); err != nil {
				t.Fatal(err)
			}
			s = l.until("running", func(s *corev1.PodStatus) bool { return s.ContainerStatuses[0].State.Running != nil })
			if init := s.InitContainerStatuses[0]; init.RestartCount == 0 || init.State.Terminated == nil || init.State.Terminated.Reason != "Completed" {
				t.Errorf("%+v", init)
			}
		})
	}
}

// https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#sidecar-containers-and-pod-lifecycle
func TestSidecarStaysAndEndsWithTheRest(t *testing.T) {
	w := newWorld(t)
	l := w.live(t, "app", func(pod *corev1.Pod) {
		pod.Spec.RestartPolicy = corev1.RestartPolicyNever
		pod.Spec.InitContainers = []corev1.Container{{Name: "side", Image: "example.org/side:1", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways)}}
	})
	s := l.until("running", func(s *corev1.PodStatus) bool { return s.ContainerStatuses[0].State.Running != nil })
	if side := s.InitContainerStatuses[0]; side.State.Running == nil || !side.Ready || !*side.Started {
		t.Errorf("%+v", side)
	}
	s = l.until("over", func(s *corev1.PodStatus) bool { return s.Phase == corev1.PodSucceeded })
	if side := s.InitContainerStatuses[0]; side.State.Terminated == nil {
		t.Errorf("the sidecar goes on alone: %+v", side)
	}
}

func TestContainersOfAJobByTheirRestartPolicy(t *testing.T) {
	w := newWorld(t)
	w.fault(t, "crash=home/once")
	once := w.live(t, "once", func(pod *corev1.Pod) { pod.Spec.RestartPolicy = corev1.RestartPolicyNever })
	if s := once.until("over", func(s *corev1.PodStatus) bool { return s.Phase == corev1.PodFailed }); s.ContainerStatuses[0].RestartCount != 0 {
		t.Errorf("%+v", s)
	}
	lift := w.fault(t, "crash=home/again")
	again := w.live(t, "again", func(pod *corev1.Pod) { pod.Spec.RestartPolicy = corev1.RestartPolicyOnFailure })
	again.until("crashing", crashing)
	lift()
	if s := again.until("over", func(s *corev1.PodStatus) bool { return s.Phase == corev1.PodSucceeded }); s.ContainerStatuses[0].RestartCount != 1 {
		t.Errorf("%+v", s)
	}
}
