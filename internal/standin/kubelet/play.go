package kubelet

import (
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// play is how far one pod has come. It belongs to the reconcile of its pod,
// of which there is never more than one at a time.
type play struct {
	uid  types.UID
	node string

	admitted  bool
	started   metav1.Time // when the kubelet took the pod on
	mounted   bool        // volumes are there, and an address
	ip        string
	inits     []*container
	mains     []*container
	endsAt    time.Time // when containers that run to an end have done so
	stopsAt   time.Time // when a pod that is to go has stopped
	ended     bool      // deletion was confirmed
	lost      bool      // the node did not answer since the last report
	failure   *failure  // set once the kubelet has given the pod up
	waitingOn string

	conditions []corev1.PodCondition
	reported   *corev1.PodStatus
	endTimer   func() // never nil; ends the simulated duration that runs
}

// failure is why a kubelet gave a pod up.
type failure struct {
	reason, message string
	disrupted       bool // by the node, and not by the pod
}

// phase is what a container does.
type phase int

const (
	waiting phase = iota
	backingOff
	running
	terminated
)

// container is one container of a pod.
type container struct {
	spec    *corev1.Container
	initial bool // an init container, sidecars included

	phase   phase
	started bool   // its startup probe has passed, or it has none
	ready   bool   // its readiness probe has passed
	reason  string // why it waits; "" is the usual reason
	message string

	pulling   bool
	pullBegan time.Time
	pullTries int
	verified  bool      // the last pull failed at a real registry
	changed   bool      // its tag stood for another image when it was pulled
	until     time.Time // end of the back-off or the run
	cured     bool      // what it backs off from is gone
	readyAt   time.Time // when it has come up
	unhealthy bool      // its probes fail, and that was told
	killAt    time.Time // when failing probes end it
	runs      bool      // an init container whose end is known
	restarts  int32
	crashes   int // since it last ran for long
	since     time.Time
	last      *corev1.ContainerStateTerminated
	end       *corev1.ContainerStateTerminated
}

// sidecar reports whether an init container stays when it has started.
func (c *container) sidecar() bool {
	return c.initial && c.spec.RestartPolicy != nil && *c.spec.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// done reports whether the next container may start.
func (c *container) done() bool {
	if c.initial && !c.sidecar() {
		return c.phase == terminated && c.end.ExitCode == 0
	}
	return c.phase == running || c.phase == terminated
}

// plays holds the play of every pod. Its methods may be called concurrently.
type plays struct {
	mu    sync.Mutex
	byPod map[types.NamespacedName]*play
}

func newPlays() *plays { return &plays{byPod: map[types.NamespacedName]*play{}} }

func (p *plays) get(key types.NamespacedName) *play {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byPod[key]
}

// pods returns the names of all pods.
func (p *plays) pods() []types.NamespacedName {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.byPod))
}

func (p *plays) set(key types.NamespacedName, one *play) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one == nil {
		delete(p.byPod, key)
		return
	}
	p.byPod[key] = one
}

// newPlay begins a pod, or goes on with one that an earlier run of the
// process has begun: what its status says runs does run.
func newPlay(pod *corev1.Pod) *play {
	p := &play{uid: pod.UID, node: pod.Spec.NodeName, endTimer: func() {}}
	for i := range pod.Spec.InitContainers {
		p.inits = append(p.inits, &container{spec: &pod.Spec.InitContainers[i], initial: true})
	}
	for i := range pod.Spec.Containers {
		p.mains = append(p.mains, &container{spec: &pod.Spec.Containers[i]})
	}
	if pod.Status.StartTime != nil {
		p.admitted, p.started = true, *pod.Status.StartTime
		resume(p.inits, pod.Status.InitContainerStatuses)
		resume(p.mains, pod.Status.ContainerStatuses)
		p.conditions = pod.Status.Conditions
	}
	return p
}

func resume(containers []*container, statuses []corev1.ContainerStatus) {
	for _, c := range containers {
		for _, s := range statuses {
			if s.Name != c.spec.Name {
				continue
			}
			c.restarts, c.last = s.RestartCount, s.LastTerminationState.Terminated
			switch {
			case s.State.Running != nil:
				c.phase, c.since = running, s.State.Running.StartedAt.Time
				c.ready, c.started = s.Ready, s.Started != nil && *s.Started
			case s.State.Terminated != nil:
				c.phase, c.end = terminated, s.State.Terminated
			}
		}
	}
}

// ready reports whether all containers are that have to be.
func (p *play) ready() bool { return len(p.unready()) == 0 }

// unready returns the names of the containers that are not ready and should
// be, sidecars first.
func (p *play) unready() []string {
	var list []string
	for _, c := range slices.Concat(p.inits, p.mains) {
		if (!c.initial || c.sidecar()) && !c.ready {
			list = append(list, c.spec.Name)
		}
	}
	return list
}

// anyRunning reports whether any container runs.
func (p *play) anyRunning() bool { return anyRunning(p.inits) || anyRunning(p.mains) }
