package observe

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
)

const (
	oneContainer = `
metadata: {namespace: media, name: immich-0}
spec:
  nodeName: k8s-1
  restartPolicy: Always
  volumes:
  - {name: tls, secret: {secretName: immich-tls}}
  - {name: extra, configMap: {name: extra, optional: true}}
  containers: [{name: app, image: "ghcr.io/immich-app/immich-server:v2.4.1", envFrom: [{secretRef: {name: immich-secret}}]}]
`
	withInit = `
metadata: {namespace: media, name: immich-0}
spec:
  nodeName: k8s-1
  initContainers: [{name: migrate}]
  containers: [{name: app}]
`
	sandboxReady = `
  - {type: PodScheduled, status: "True", lastTransitionTime: "2024-01-01T00:00:00Z"}
  - {type: PodReadyToStartContainers, status: "True", lastTransitionTime: "2024-01-01T00:00:01Z"}`
	sandboxPending = `
  - {type: PodScheduled, status: "True", lastTransitionTime: "2024-01-01T00:00:00Z"}
  - {type: PodReadyToStartContainers, status: "False", lastTransitionTime: "2024-01-01T00:00:00Z"}`
)

func waiting(reason, message string) string {
	return `
  containerStatuses: [{name: app, state: {waiting: {reason: ` + reason + `, message: '` + message + `'}}}]`
}

func TestPodState(t *testing.T) {
	running := []domain.State{domain.PodRunning}
	pulling := []domain.State{domain.PodPullingImages}
	for _, test := range []struct {
		name, object string
		missing      string // the name of a Secret that does not exist
		failedPulls  int
		want         standing
	}{
		{
			name: "unschedulable",
			object: `
spec: {containers: [{name: app}]}
status:
  phase: Pending
  conditions:
  - {type: PodScheduled, status: "False", reason: Unschedulable, message: "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."}`,
			want: standing{State: domain.PodPending, Message: "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."},
		},
		{
			name: "bound", object: oneContainer + "status: {phase: Pending}",
			want: standing{State: domain.PodInit, Message: "its node prepares volumes and network"},
		},
		{
			name:    "mounts a Secret that is missing",
			object:  oneContainer + "status:\n  phase: Pending\n  conditions:" + sandboxPending + waiting("ContainerCreating", ""),
			missing: "immich-tls",
			want:    standing{State: domain.PodWaitingSecrets, Message: "Secret media/immich-tls does not exist"},
		},
		{
			name:    "an environment's Secret is not asked for while an image is pulled",
			object:  oneContainer + "status:\n  phase: Pending\n  conditions:" + sandboxReady + waiting("ContainerCreating", ""),
			missing: "immich-secret",
			want:    standing{State: domain.PodPullingImages},
		},
		{
			name:   "environment's Secret missing",
			object: oneContainer + "status:\n  phase: Pending\n  conditions:" + sandboxReady + waiting("CreateContainerConfigError", `secret "immich-secret" not found`),
			want:   standing{State: domain.PodWaitingSecrets, Message: `container app: secret "immich-secret" not found`},
		},
		{
			name:   "key of a Secret missing",
			object: oneContainer + "status:\n  phase: Pending\n  conditions:" + sandboxReady + waiting("CreateContainerConfigError", `couldn''t find key DB_PASSWORD in Secret media/immich-secret`),
			want:   standing{State: domain.PodWaitingSecrets, Message: `container app: couldn't find key DB_PASSWORD in Secret media/immich-secret`},
		},
		{
			name:   "another configuration error",
			object: oneContainer + "status:\n  phase: Pending\n  conditions:" + sandboxReady + waiting("CreateContainerConfigError", `container has runAsNonRoot and image will run as root`),
			want:   standing{State: domain.PodStarting, Message: "container app: container has runAsNonRoot and image will run as root"},
		},
		{
			name:   "a kubelet that does not tell the sandbox",
			object: oneContainer + "status:\n  phase: Pending" + waiting("ContainerCreating", ""),
			want:   standing{State: domain.PodPullingImages},
		},
		{
			name:   "pull failed",
			object: oneContainer + "status:\n  phase: Pending\n  conditions:" + sandboxReady + waiting("ErrImagePull", "manifest unknown"),
			want:   standing{State: domain.PodPullingImages, Message: "container app: manifest unknown"},
		},
		{
			name:        "pull failed for the third time",
			object:      oneContainer + "status:\n  phase: Pending\n  conditions:" + sandboxReady + waiting("ErrImagePull", "manifest unknown"),
			failedPulls: 3,
			want:        standing{State: domain.PodFailed, Message: "container app: manifest unknown", Passed: pulling},
		},
		{
			name:   "pull in back-off",
			object: oneContainer + "status:\n  phase: Pending\n  conditions:" + sandboxReady + waiting("ImagePullBackOff", "Back-off pulling image"),
			want:   standing{State: domain.PodFailed, Message: "container app: Back-off pulling image", Passed: pulling},
		},
		{
			name:   "image name invalid",
			object: oneContainer + "status:\n  phase: Pending\n  conditions:" + sandboxReady + waiting("InvalidImageName", "couldn''t parse image name"),
			want:   standing{State: domain.PodFailed, Message: "container app: couldn't parse image name", Passed: pulling},
		},
		{
			name: "startup probe",
			object: oneContainer + `
status:
  phase: Running
  containerStatuses: [{name: app, started: false, state: {running: {startedAt: "2024-01-01T00:00:02Z"}}}]`,
			want: standing{State: domain.PodStarting, Message: "the startup probe of container app has not passed"},
		},
		{
			name: "never ready since it started",
			object: oneContainer + `
status:
  phase: Running
  conditions:
  - {type: ContainersReady, status: "False", lastTransitionTime: "2024-01-01T00:00:00Z"}
  containerStatuses: [{name: app, started: true, state: {running: {startedAt: "2024-01-01T00:00:02Z"}}}]`,
			want: standing{State: domain.PodStarting, Message: "container app is not ready yet"},
		},
		{
			name: "ready",
			object: oneContainer + `
status:
  phase: Running
  conditions:
  - {type: ContainersReady, status: "True", lastTransitionTime: "2024-01-01T00:00:03Z"}
  containerStatuses: [{name: app, started: true, ready: true, state: {running: {startedAt: "2024-01-01T00:00:02Z"}}}]`,
			want: standing{State: domain.PodRunning, Ready: true},
		},
		{
			name: "no longer ready",
			object: oneContainer + `
status:
  phase: Running
  conditions:
  - {type: ContainersReady, status: "False", lastTransitionTime: "2024-01-01T00:05:00Z"}
  containerStatuses: [{name: app, started: true, ready: false, state: {running: {startedAt: "2024-01-01T00:00:02Z"}}}]`,
			want: standing{State: domain.PodRunning, Message: "container app runs and is not ready", Ready: true},
		},
		{
			name: "crash loop",
			object: oneContainer + `
status:
  phase: Running
  containerStatuses:
  - name: app
    restartCount: 4
    state: {waiting: {reason: CrashLoopBackOff, message: back-off 1m20s restarting failed container}}
    lastState: {terminated: {exitCode: 137, reason: OOMKilled, startedAt: "2024-01-01T00:00:02Z", finishedAt: "2024-01-01T00:00:09Z"}}`,
			want: standing{State: domain.PodCrashLoop, Message: "container app exited with code 137 (OOMKilled); restarted 4 times", Passed: running},
		},
		{
			name: "exited, about to be restarted",
			object: oneContainer + `
status:
  phase: Running
  containerStatuses: [{name: app, state: {terminated: {exitCode: 1, reason: Error, startedAt: "2024-01-01T00:00:02Z"}}}]`,
			want: standing{State: domain.PodCrashLoop, Message: "container app exited with code 1", Passed: running},
		},
		{
			name: "never started at all",
			object: oneContainer + `
status:
  phase: Running
  containerStatuses:
  - name: app
    state: {waiting: {reason: CrashLoopBackOff}}
    lastState: {terminated: {exitCode: 128, reason: StartError, startedAt: "1970-01-01T00:00:00Z"}}`,
			want: standing{State: domain.PodCrashLoop, Message: "container app exited with code 128 (StartError); restarted 0 times"},
		},
		{
			name: "the worst container speaks",
			object: `
spec: {nodeName: k8s-1, containers: [{name: app}, {name: vpn}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, started: true, ready: true, state: {running: {}}}
  - {name: vpn, state: {waiting: {reason: CreateContainerConfigError, message: secret "vpn" not found}}}`,
			want: standing{State: domain.PodWaitingSecrets, Message: `container vpn: secret "vpn" not found`},
		},
		{
			name: "init container runs",
			object: withInit + `
status:
  phase: Pending
  initContainerStatuses: [{name: migrate, started: true, state: {running: {}}}]
  containerStatuses: [{name: app, state: {waiting: {reason: PodInitializing}}}]`,
			want: standing{State: domain.PodInit, Message: "init container migrate runs"},
		},
		{
			name: "init container's image is pulled",
			object: withInit + `
status:
  phase: Pending
  conditions:` + sandboxReady + `
  initContainerStatuses: [{name: migrate, state: {waiting: {reason: PodInitializing}}}]`,
			want: standing{State: domain.PodInit, Message: "init container migrate is being created"},
		},
		{
			name: "init container waits for a Secret",
			object: withInit + `
status:
  phase: Pending
  initContainerStatuses: [{name: migrate, state: {waiting: {reason: CreateContainerConfigError, message: secret "db" not found}}}]`,
			want: standing{State: domain.PodWaitingSecrets, Message: `container migrate: secret "db" not found`},
		},
		{
			name: "init container crashes",
			object: withInit + `
status:
  phase: Pending
  initContainerStatuses:
  - name: migrate
    restartCount: 2
    state: {waiting: {reason: CrashLoopBackOff}}
    lastState: {terminated: {exitCode: 2, startedAt: "2024-01-01T00:00:02Z"}}`,
			want: standing{State: domain.PodCrashLoop, Message: "container migrate exited with code 2; restarted 2 times"},
		},
		{
			name: "init container done",
			object: withInit + `
status:
  phase: Pending
  conditions:` + sandboxReady + `
  initContainerStatuses: [{name: migrate, state: {terminated: {exitCode: 0}}}]
  containerStatuses: [{name: app, state: {waiting: {reason: PodInitializing}}}]`,
			want: standing{State: domain.PodPullingImages},
		},
		{
			name: "sidecar started",
			object: `
spec: {nodeName: k8s-1, initContainers: [{name: log, restartPolicy: Always}], containers: [{name: app}]}
status:
  phase: Running
  initContainerStatuses: [{name: log, started: true, state: {running: {}}}]
  containerStatuses: [{name: app, started: true, ready: true, state: {running: {}}}]`,
			want: standing{State: domain.PodRunning, Ready: true},
		},
		{
			name:   "completed",
			object: "spec: {nodeName: k8s-1, restartPolicy: Never, containers: [{name: job}]}\nstatus: {phase: Succeeded}",
			want:   standing{State: domain.PodRunning, Message: "completed", Ready: true, Completed: true},
		},
		{
			name: "job failed",
			object: `
spec: {nodeName: k8s-1, restartPolicy: Never, containers: [{name: job}]}
status:
  phase: Failed
  containerStatuses: [{name: job, state: {terminated: {exitCode: 3, reason: Error, startedAt: "2024-01-01T00:00:02Z"}}}]`,
			want: standing{State: domain.PodFailed, Message: "container job exited with code 3", Passed: []domain.State{domain.PodRunning, domain.PodCrashLoop}},
		},
		{
			name:   "evicted",
			object: "spec: {nodeName: k8s-1, containers: [{name: app}]}\nstatus: {phase: Failed, reason: Evicted, message: 'The node was low on resource: memory.'}",
			want:   standing{State: domain.PodFailed, Message: "The node was low on resource: memory."},
		},
		{
			name:   "terminating",
			object: "metadata: {deletionTimestamp: '2024-01-01T00:00:00Z'}\nspec: {nodeName: k8s-1, containers: [{name: app}]}\nstatus: {phase: Running}",
			want:   standing{State: domain.PodTerminating},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			pod := read[corev1.Pod](t, test.object)
			evidence := PodEvidence{FailedPulls: test.failedPulls, Find: func(ref domain.Ref) Presence {
				if ref.Name == test.missing || ref.Name == "extra" {
					return Missing
				}
				return Present
			}}
			if diff := cmp.Diff(test.want, exposed(PodState(pod, evidence))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPodStateWithoutLooking holds that what may not be looked up is not
// called missing.
func TestPodStateWithoutLooking(t *testing.T) {
	pod := read[corev1.Pod](t, oneContainer+"status:\n  phase: Pending\n  conditions:"+sandboxPending)
	for name, find := range map[string]func(domain.Ref) Presence{
		"no lookup": nil,
		"forbidden": func(domain.Ref) Presence { return Unknown },
	} {
		if s := PodState(pod, PodEvidence{Find: find}); s.State != domain.PodInit {
			t.Errorf("%s: %s (%s)", name, s.State, s.Message)
		}
	}
}
