package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/observe"
)

// Trouble is that an object is not as it should be.
type Trouble struct {
	State   domain.State
	Message string
	Since   time.Time
	// Failed says that the object has failed, as opposed to being under way.
	Failed bool
	// Quiet says that the object matters to others only: nobody misses it.
	Quiet bool
}

// The states of what the domain draws no machine for.
const (
	stateNotReady    domain.State = "NotReady"
	stateUnavailable domain.State = "Unavailable"
	stateNoEndpoints domain.State = "NoEndpoints"
	stateScaledDown  domain.State = "ScaledDown"
	stateTerminating domain.State = "Terminating"
	// StateSuspended is that of what its reconciler leaves alone.
	StateSuspended domain.State = "Suspended"
)

// grace is how long something may be under way before it is a symptom. It is
// the domain's threshold of a stuck release.
const grace = domain.ReleaseStuckAfter

// Trouble tells what is wrong with an object; nil where nothing is.
func (w *World) Trouble(o *Object) *Trouble {
	if t, known := w.troubles[o.Key]; known {
		return t
	}
	w.troubles[o.Key] = nil // a circle ends here
	t := w.look(o)
	if t != nil {
		t.Message = Clean(t.Message)
	}
	w.troubles[o.Key] = t
	return t
}

// Troubled reports whether an object that exists is in trouble.
func (w *World) Troubled(k Key) bool {
	o := w.Get(k)
	return o != nil && w.Trouble(o) != nil
}

// Ails reports whether an object is missing or in trouble.
func (w *World) Ails(k Key) bool { return w.Missing(k) || w.Troubled(k) }

// Acute reports whether an object's trouble is a symptom by now.
func (w *World) Acute(o *Object) bool {
	t := w.Trouble(o)
	return t != nil && !t.Quiet && (t.Failed || w.Settled || w.Now.Sub(t.Since) > grace)
}

func (w *World) look(o *Object) *Trouble {
	if since, deleting := o.Deleting(); deleting {
		if w.Now.Sub(since) < grace && !w.Settled || o.Kind() == Pod && len(o.Texts("metadata", "finalizers")) == 0 && !w.nodeLost(o) {
			return nil
		}
		return &Trouble{State: stateTerminating, Message: "deleted, and not gone", Since: since}
	}
	if o.True("spec", "suspend") && (o.Kind() == Kustomization || o.Kind() == HelmRelease || strings.HasSuffix(o.Key.Group, sourceGroup)) {
		return &Trouble{State: StateSuspended, Message: "is suspended", Since: o.Created(), Quiet: true}
	}
	switch o.Kind() {
	case Kustomization, HelmRelease, ExternalSecret, HTTPRoute:
		return observed(w.standing(o), o)
	case Pod:
		return w.podTrouble(o)
	case Deployment, StatefulSet, DaemonSet, Job:
		return workloadTrouble(o)
	case Node:
		return nodeTrouble(o)
	case Claim:
		return w.claimTrouble(o)
	case Service:
		return w.serviceTrouble(o)
	case Gateway:
		return w.gatewayTrouble(o)
	case Database:
		return w.databaseTrouble(o)
	case APIService:
		return conditionTrouble(o, "Available")
	case GatewayClass:
		return conditionTrouble(o, "Accepted")
	case GitRepository, OCIRepository, HelmRepository, HelmChart, Bucket, SecretStore, ClusterSecretStore, Certificate, Issuer, ClusterIssuer:
		return conditionTrouble(o, "Ready")
	}
	return nil
}

// standing asks package observe for the state of an object.
func (w *World) standing(o *Object) observe.Standing {
	switch o.Kind() {
	case Kustomization:
		if k, ok := typed[kustomizev1.Kustomization](o); ok {
			return observe.KustomizationState(k)
		}
	case HelmRelease:
		if h, ok := typed[helmv2.HelmRelease](o); ok {
			return observe.HelmReleaseState(h)
		}
	case ExternalSecret:
		if e, ok := typed[esv1.ExternalSecret](o); ok {
			return observe.ExternalSecretState(e, w.storeOf(e))
		}
	case HTTPRoute:
		if r, ok := typed[gatewayv1.HTTPRoute](o); ok {
			return observe.HTTPRouteState(r)
		}
	case Pod:
		if p, ok := typed[corev1.Pod](o); ok {
			return observe.PodState(p, observe.PodEvidence{Find: w.find, FailedPulls: domain.ImagePullTries})
		}
	}
	return observe.Standing{Ready: true}
}

func typed[T any](o *Object) (*T, bool) {
	t := new(T)
	return t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Fields, t) == nil
}

func (w *World) storeOf(e *esv1.ExternalSecret) observe.Store {
	ref := observe.StoreOf(e)
	s := observe.Store{Ref: ref}
	o := w.Get(Key{Group: secretsGroup, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name})
	if o == nil {
		return s
	}
	s.Exists = true
	if c := o.Condition("Ready"); c.Type != "" {
		s.Ready = &esv1.Condition{Type: esv1.ConditionReady, Status: corev1.ConditionStatus(c.Status), Message: c.Message}
		s.Ready.LastTransitionTime.Time = c.Since
	}
	return s
}

func (w *World) find(ref domain.Ref) observe.Presence {
	kind := Kind{"", ref.Kind}
	switch {
	case w.Get(kind.Key(ref.Namespace, ref.Name)) != nil:
		return observe.Present
	case w.Sees(kind):
		return observe.Missing
	}
	return observe.Unknown
}

// stuck are the states in which an object does not get on by itself. Those of
// several machines share their names.
var stuck = []domain.State{
	domain.KustomizationFailed, domain.PodCrashLoop, domain.PodWaitingSecrets,
}

func observed(s observe.Standing, o *Object) *Trouble {
	if s.Ready {
		return nil
	}
	since := s.Since
	if since.IsZero() {
		since = o.Created()
	}
	return &Trouble{State: s.State, Message: s.Message, Since: since, Failed: slices.Contains(stuck, s.State)}
}

// conditionTrouble reads a condition that should hold.
func conditionTrouble(o *Object, kind string) *Trouble {
	c := o.Condition(kind)
	if c.True() || c.Type == "" && !expectsStatus[o.Kind()] {
		return nil
	}
	if c.Type == "" {
		return &Trouble{State: stateNotReady, Message: "has no status yet", Since: o.Created()}
	}
	return &Trouble{State: stateNotReady, Message: cmp.Or(c.Message, c.Reason), Since: c.Since, Failed: c.False() && c.Reason != "Progressing"}
}

// expectsStatus are the kinds that nobody looks after where they have no status.
var expectsStatus = map[Kind]bool{
	GitRepository: true, OCIRepository: true, HelmChart: true, Bucket: true, SecretStore: true, ClusterSecretStore: true,
	Certificate: true, Gateway: true, GatewayClass: true,
}

func nodeTrouble(o *Object) *Trouble {
	if c := o.Condition("Ready"); c.Type != "" && !c.True() {
		return &Trouble{State: stateNotReady, Message: cmp.Or(c.Message, c.Reason), Since: c.Since, Failed: true}
	}
	for _, kind := range Pressures {
		if c := o.Condition(kind); c.True() {
			return &Trouble{State: domain.State(kind), Message: cmp.Or(c.Message, c.Reason), Since: c.Since, Failed: true}
		}
	}
	return nil
}

// Pressures are the conditions of a node that runs out of something.
var Pressures = []string{"DiskPressure", "MemoryPressure", "PIDPressure", "NetworkUnavailable"}

// workloadTrouble tells a workload that has fewer pods than it asks for.
func workloadTrouble(o *Object) *Trouble {
	want, have := int64(1), o.Number("status", "availableReplicas")
	if o.Has("spec", "replicas") {
		want = o.Number("spec", "replicas")
	}
	switch o.Kind() {
	case Job:
		if c := o.Condition("Failed"); c.True() {
			return &Trouble{State: domain.PodFailed, Message: cmp.Or(c.Message, c.Reason), Since: c.Since, Failed: true}
		}
		return nil
	case DaemonSet:
		want, have = o.Number("status", "desiredNumberScheduled"), o.Number("status", "numberAvailable")
	}
	if want == 0 && o.Kind() != DaemonSet {
		return &Trouble{State: stateScaledDown, Message: "asks for no pods", Since: o.Created(), Quiet: true}
	}
	if have >= want {
		return nil
	}
	since := o.Condition("Available").Since
	if since.IsZero() {
		since = o.Created()
	}
	message := fmt.Sprintf("%d of %d pods are available", have, want)
	if c := o.Condition("ReplicaFailure"); c.True() {
		message = c.Message
	}
	return &Trouble{State: stateUnavailable, Message: message, Since: since}
}

// databaseTrouble tells a database cluster that is not healthy.
func (w *World) databaseTrouble(o *Object) *Trouble {
	want, ready := o.Number("spec", "instances"), o.Number("status", "readyInstances")
	c := o.Condition("Ready")
	if c.True() || c.Type == "" && want > 0 && ready >= want {
		return nil
	}
	since := c.Since
	if since.IsZero() {
		since = o.Created()
	}
	return &Trouble{State: stateNotReady, Message: cmp.Or(o.Text("status", "phaseReason"), o.Text("status", "phase"), c.Message, "has no status yet"), Since: since}
}

func (w *World) gatewayTrouble(o *Object) *Trouble {
	for _, kind := range []string{"Accepted", "Programmed"} {
		if c := o.Condition(kind); !c.True() {
			since := c.Since
			if since.IsZero() {
				since = o.Created()
			}
			return &Trouble{State: stateNotReady, Message: cmp.Or(c.Message, c.Reason, "has no status yet"), Since: since, Failed: c.False()}
		}
	}
	for _, l := range o.List("status", "listeners") {
		for _, kind := range []string{"ResolvedRefs", "Programmed"} {
			if c := l.ConditionIn(kind, "conditions"); c.False() {
				return &Trouble{State: stateNotReady, Message: "listener " + l.Text("name") + ": " + cmp.Or(c.Message, c.Reason), Since: c.Since, Failed: true}
			}
		}
	}
	return nil
}

// claimTrouble leaves a claim alone that waits for its first consumer.
func (w *World) claimTrouble(o *Object) *Trouble {
	switch o.Text("status", "phase") {
	case "Bound":
		return nil
	case "Lost":
		return &Trouble{State: "Lost", Message: "its volume is gone", Since: o.Created(), Failed: true}
	}
	class := w.Get(StorageClass.Key("", o.Text("spec", "storageClassName")))
	if class != nil && class.Text("volumeBindingMode") == "WaitForFirstConsumer" && o.Annotation("volume.kubernetes.io/selected-node") == "" && len(w.ClaimUsers(o)) == 0 {
		return nil
	}
	message := "not bound"
	if events := w.Events(o.Key); len(events) > 0 {
		message = events[0].Message
	}
	return &Trouble{State: domain.PodPending, Message: message, Since: o.Created()}
}

// serviceTrouble tells a Service without a pod that is ready.
func (w *World) serviceTrouble(o *Object) *Trouble {
	if o.Text("spec", "type") == "ExternalName" || len(o.In("spec", "selector")) == 0 || o.True("spec", "publishNotReadyAddresses") || !w.Sees(Pod) {
		return nil
	}
	for _, p := range w.Selected(o) {
		if p.Condition("Ready").True() {
			return nil
		}
	}
	return &Trouble{State: stateNoEndpoints, Message: "no pod behind it is ready", Since: o.Created(), Quiet: true}
}

func (w *World) podTrouble(o *Object) *Trouble {
	if w.replaced(o) {
		return nil
	}
	s := w.standing(o)
	if !s.Ready {
		return observed(s, o)
	}
	ready := o.Condition("Ready")
	switch {
	case s.Completed || ready.True() || ready.Type == "":
		return nil
	case w.nodeLost(o):
		return &Trouble{State: stateNotReady, Message: "its node does not answer", Since: ready.Since, Failed: true}
	}
	return &Trouble{State: stateNotReady, Message: cmp.Or(s.Message, ready.Message, "is not ready"), Since: ready.Since}
}

// replaced reports whether a failed pod is only a trace: its controller has got
// what it wanted since.
func (w *World) replaced(o *Object) bool {
	if o.Text("status", "phase") != "Failed" {
		return false
	}
	owner := o.controller()
	parent := w.Get(Key{Group: groupOf(owner.Text("apiVersion")), Kind: owner.Text("kind"), Namespace: o.Namespace, Name: owner.Text("name")})
	if parent == nil {
		return owner == nil
	}
	if parent.Kind() == Job {
		return parent.Condition("Complete").True() || w.outdone(parent)
	}
	workload := w.Workload(o)
	if workload == nil || workload.Kind() == Job {
		return workload == nil
	}
	t := workloadTrouble(workload)
	return t == nil || t.Quiet
}

// outdone reports whether a later run of a CronJob succeeded.
func (w *World) outdone(job *Object) bool {
	owner := job.controller()
	if owner.Text("kind") != CronJob.Name {
		return false
	}
	cron := w.Get(CronJob.Key(job.Namespace, owner.Text("name")))
	return cron != nil && cron.Time("status", "lastSuccessfulTime").After(job.Created())
}

func (w *World) nodeLost(pod *Object) bool {
	node := w.Get(Node.Key("", pod.Text("spec", "nodeName")))
	return node != nil && node.Condition("Ready").Type != "" && !node.Condition("Ready").True()
}

func groupOf(apiVersion string) string {
	group, _, ok := strings.Cut(apiVersion, "/")
	if !ok {
		return ""
	}
	return group
}
