package kubelet

import (
	"regexp"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth/internal/domain"
)

// The domain's table has no durations for what runs to an end; these are
// assumed for init containers and for the containers of Jobs.
var (
	initRuns = domain.Range{Min: time.Second, Max: 10 * time.Second}
	jobRuns  = domain.Range{Min: 5 * time.Second, Max: 30 * time.Second}
)

// typical returns the range that a step's duration is drawn from.
func typical(step string) domain.Range {
	switch step {
	case StepInit:
		return initRuns
	case StepRun:
		return jobRuns
	}
	return domain.PodStartup.Typical()
}

// simulate draws how long a step of a pod takes, tells it, and returns when it
// is over at the pace of the options.
func (k *kubelet) simulate(pod *corev1.Pod, step, container string, now time.Time) time.Time {
	takes := typical(step).Draw(k.Seed, step+"/"+stableName(pod)+"/"+container)
	k.Simulated(podRef(pod), step, takes)
	return now.Add(k.Pace.Scale(takes))
}

func podRef(pod *corev1.Pod) domain.Ref {
	return domain.Ref{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name}
}

// scheduledJob is the name of a CronJob's Job: the time of its run follows.
var scheduledJob = regexp.MustCompile(`-[0-9]{8,}$`)

// stableName returns "namespace/name" of what the pod belongs to, without the
// parts that differ from run to run, so that drawn durations repeat.
func stableName(pod *corev1.Pod) string {
	owner := metav1.GetControllerOf(pod)
	switch {
	case owner == nil, owner.Kind == "StatefulSet":
		return pod.Namespace + "/" + pod.Name
	case owner.Kind == "ReplicaSet":
		hash := pod.Labels["pod-template-hash"]
		if n := len(owner.Name) - len(hash) - 1; hash != "" && n > 0 && owner.Name[n:] == "-"+hash {
			return pod.Namespace + "/" + owner.Name[:n]
		}
	case owner.Kind == "Job":
		return pod.Namespace + "/" + scheduledJob.ReplaceAllString(owner.Name, "")
	}
	return pod.Namespace + "/" + owner.Name
}
