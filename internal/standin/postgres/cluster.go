package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/domain"
	"hearth/internal/standin/operator"
)

// The phases of a Cluster.
const (
	settingUp = "Setting up primary"
	joining   = "Creating a new replica"
	waiting   = "Waiting for the instances to become active"
	failing   = "Failing over"
	healthy   = "Cluster in healthy state"
	lost      = "Cluster is unrecoverable and needs manual intervention"
)

// What an operator needs beside the start of an instance's own pod: to make a
// database, and to copy it.
var (
	initSpan = domain.Range{Min: 10 * time.Second, Max: 40 * time.Second}
	joinSpan = domain.Range{Min: 5 * time.Second, Max: 30 * time.Second}
)

// The labels by which instances are told apart.
const (
	labelCluster  = "cnpg.io/cluster"
	labelInstance = "cnpg.io/instanceName"
	labelRole     = "cnpg.io/instanceRole"
	labelOldRole  = "role" // as older clients have it
	serial        = "cnpg.io/nodeSerial"

	primary = "primary"
	replica = "replica"
)

// cluster is one look at one Cluster.
type cluster struct {
	*operator.Visit
	player *player
	spec   clusterSpec
	status map[string]any

	pods   []*corev1.Pod                           // of its instances, by serial number
	claims map[int64]*corev1.PersistentVolumeClaim // of their data
}

// seeCluster brings a Cluster one step on.
func (p *player) seeCluster(ctx context.Context, v *operator.Visit) (reconcile.Result, error) {
	s, err := convert[clusterSpec](v.Object.Object["spec"])
	if err != nil {
		v.Refuse(err)
		return reconcile.Result{}, nil
	}
	s.Instances = max(s.Instances, 1)
	c := &cluster{Visit: v, player: p, spec: s, status: operator.Status(v.Object)}
	v.Assume()
	if err := c.makeSecrets(ctx); err != nil {
		return reconcile.Result{}, err
	}
	if err := c.makeServices(ctx); err != nil {
		return reconcile.Result{}, err
	}
	if err := c.look(ctx); err != nil {
		return reconcile.Result{}, err
	}
	result, err := c.step(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	c.tell()
	_, err = v.WriteStatus(ctx, c.status)
	return result, err
}

// look finds the instances that are there.
func (c *cluster) look(ctx context.Context) error {
	mine := []client.ListOption{client.InNamespace(c.Object.GetNamespace()), client.MatchingLabels{labelCluster: c.Object.GetName()}}
	pods := &corev1.PodList{}
	if err := c.Client.List(ctx, pods, mine...); err != nil {
		return err
	}
	for i := range pods.Items {
		if pods.Items[i].Labels[labelInstance] != "" {
			c.pods = append(c.pods, &pods.Items[i])
		}
	}
	slices.SortFunc(c.pods, func(a, b *corev1.Pod) int { return int(serialOf(a) - serialOf(b)) })
	claims := &corev1.PersistentVolumeClaimList{}
	if err := c.Client.List(ctx, claims, mine...); err != nil {
		return err
	}
	c.claims = map[int64]*corev1.PersistentVolumeClaim{}
	for i := range claims.Items {
		if claim := &claims.Items[i]; claim.Labels["cnpg.io/pvcRole"] == "PG_DATA" && claim.DeletionTimestamp == nil {
			c.claims[serialOf(claim)] = claim
		}
	}
	return nil
}

func serialOf(obj client.Object) int64 {
	n, err := strconv.ParseInt(obj.GetAnnotations()[serial], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// step does what is to be done next: the first instance, instances that have
// lost their pod, a failover, one more replica, or one less.
func (c *cluster) step(ctx context.Context) (reconcile.Result, error) {
	generated, _ := c.status["latestGeneratedNode"].(int64)
	switch {
	case generated == 0:
		return c.first(ctx)
	case c.unseen(generated):
		return reconcile.Result{RequeueAfter: time.Second}, nil // the cache will know of it
	case len(c.claims) == 0 && len(c.pods) == 0:
		c.phase(lost, "One or more instances were previously created, but no PersistentVolumeClaims (PVCs) exist. "+
			"The cluster is in an unrecoverable state. To resolve this, restore the cluster from a recent backup.")
		return reconcile.Result{}, nil
	}
	if err := c.bury(ctx); err != nil {
		return reconcile.Result{}, err
	}
	if made, err := c.revive(ctx); made || err != nil {
		return reconcile.Result{}, err
	}
	if over, err := c.failOver(ctx); over || err != nil {
		return reconcile.Result{}, err
	}
	if err := c.label(ctx); err != nil {
		return reconcile.Result{}, err
	}
	if err := c.resize(ctx); err != nil {
		return reconcile.Result{}, err
	}
	ready := c.ready()
	switch {
	case len(ready) < len(c.pods):
		if c.status["phase"] != settingUp && c.status["phase"] != joining {
			c.phase(waiting, "Some instances are not yet active. Please wait.")
		}
		return reconcile.Result{}, nil
	case int64(len(c.pods)) < c.spec.Instances:
		return c.join(ctx, generated)
	case int64(len(c.pods)) > c.spec.Instances:
		return reconcile.Result{}, c.shrink(ctx)
	}
	c.phase(healthy, "")
	return reconcile.Result{}, c.makeBudgets(ctx)
}

// unseen reports whether an instance was made just now, and the cache does not
// know of it yet.
func (c *cluster) unseen(n int64) bool {
	made := operator.Memory(c.Visit, func() map[int64]time.Time { return map[int64]time.Time{} })
	at, ok := made[n]
	return ok && time.Since(at) < 10*time.Second && c.claims[n] == nil && !c.hasPod(n)
}

func (c *cluster) hasPod(n int64) bool {
	name := instanceName(c.Object.GetName(), n)
	return slices.ContainsFunc(c.pods, func(p *corev1.Pod) bool { return p.Name == name })
}

func (c *cluster) madeNow(n int64) {
	operator.Memory(c.Visit, func() map[int64]time.Time { return map[int64]time.Time{} })[n] = time.Now()
}

// first makes the first instance, once its Secrets are there and a database
// would have been made.
func (c *cluster) first(ctx context.Context) (reconcile.Result, error) {
	name := instanceName(c.Object.GetName(), 1)
	c.phase(settingUp, "Creating primary instance "+name)
	c.status["targetPrimary"] = name
	if err := c.TellOnce(ctx, component, corev1.EventTypeNormal, "CreatingInstance", "Primary instance (%s)", c.spec.bootstrap()); err != nil {
		return reconcile.Result{}, err
	}
	if err := c.makeClaims(ctx, 1, primary); err != nil {
		return reconcile.Result{}, err
	}
	if missing, err := c.missingSecret(ctx); missing != "" || err != nil {
		return reconcile.Result{}, err // its arrival is noticed
	}
	if left := c.Left("initdb", initSpan); left > 0 {
		return reconcile.Result{RequeueAfter: left}, nil
	}
	if err := c.makePod(ctx, 1, primary); err != nil {
		return reconcile.Result{}, err
	}
	c.status["latestGeneratedNode"] = int64(1)
	c.status["targetPrimaryTimestamp"] = now()
	return reconcile.Result{}, nil
}

// join makes one more replica.
func (c *cluster) join(ctx context.Context, generated int64) (reconcile.Result, error) {
	next := generated + 1
	name := instanceName(c.Object.GetName(), next)
	c.phase(joining, fmt.Sprintf("Creating replica %s-join", name))
	if err := c.TellOnce(ctx, component, corev1.EventTypeNormal, "CreatingInstance", "Creating instance %s", name); err != nil {
		return reconcile.Result{}, err
	}
	if err := c.makeClaims(ctx, next, replica); err != nil {
		return reconcile.Result{}, err
	}
	if left := c.Left(name, joinSpan); left > 0 {
		return reconcile.Result{RequeueAfter: left}, nil
	}
	if err := c.makePod(ctx, next, replica); err != nil {
		return reconcile.Result{}, err
	}
	c.status["latestGeneratedNode"] = next
	return reconcile.Result{}, nil
}

// revive gives instances their pods back: their volumes are there still.
func (c *cluster) revive(ctx context.Context) (bool, error) {
	made := false
	for _, n := range slices.Sorted(keys(c.claims)) {
		if generated, _ := c.status["latestGeneratedNode"].(int64); n > generated || c.hasPod(n) {
			continue
		}
		if err := c.makePod(ctx, n, replica); err != nil {
			return made, err
		}
		made = true
	}
	if made {
		c.phase(waiting, "Some instances are not yet active. Please wait.")
	}
	// An instance that has lost its primary can only be led by another.
	return made && len(c.pods) == 0, nil
}

// ready returns the instances that serve.
func (c *cluster) ready() []*corev1.Pod {
	var ready []*corev1.Pod
	for _, pod := range c.pods {
		if podReady(pod) {
			ready = append(ready, pod)
		}
	}
	return ready
}

func podReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}

func (c *cluster) phase(phase, reason string) {
	c.status["phase"], c.status["phaseReason"] = phase, reason
	if reason == "" {
		c.status["phaseReason"] = nil
	}
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z") }

func keys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
