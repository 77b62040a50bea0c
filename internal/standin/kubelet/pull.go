package kubelet

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
	"hearth/internal/standin/image"
)

// mirror is the name of the image that shares a node's images with its peers.
const mirror = "spegel"

// pull sees to a container's image; ok says that it is there.
func (k *kubelet) pull(ctx context.Context, pod *corev1.Pod, c *container, now time.Time) (next outcome, ok bool, err error) {
	ref, bad := image.Parse(c.spec.Image)
	if bad != nil {
		message := fmt.Sprintf("Failed to apply default image tag %q: %v", c.spec.Image, bad)
		k.refuse(pod, c, "InspectFailed", reasonInvalidImage, message)
		return outcome{}, false, nil
	}
	node, policy := pod.Spec.NodeName, c.spec.ImagePullPolicy
	here := k.stock.Has(node, ref, now)
	switch {
	case here && !c.pulling && policy != corev1.PullAlways:
		if c.reason == "" {
			k.event(pod, c, corev1.EventTypeNormal, "Pulled", "Container image %q already present on machine and can be accessed by the pod", c.spec.Image)
		}
		c.pullWorks()
		return outcome{}, true, nil
	case !here && policy == corev1.PullNever:
		message := fmt.Sprintf("Container image %q is not present with pull policy of Never", c.spec.Image)
		k.refuse(pod, c, reasonNeverPull, reasonNeverPull, message)
		return outcome{}, false, nil
	}
	// A pull that is under way has got past its registry already.
	if !c.pulling && (here || !k.stock.Pulling(node, ref, now)) && !k.stock.Peer(node, ref, now) {
		refused, err := k.refused(ctx, pod, ref)
		if err != nil {
			return outcome{}, false, err
		}
		if refused != nil {
			c.verified = ref.Refused(k.Faults) == nil
			return k.pullFails(ctx, pod, c, refused, now), false, nil
		}
	}
	c.pullWorks()
	next, ok = k.fetch(pod, c, ref, now)
	return next, ok, nil
}

// refuse says once why an image can never be had this way.
func (k *kubelet) refuse(pod *corev1.Pod, c *container, event, reason, message string) {
	if c.reason == reason {
		return
	}
	k.event(pod, c, corev1.EventTypeWarning, event, "%s", message)
	k.event(pod, c, corev1.EventTypeWarning, "Failed", "Error: %s", reason)
	c.reason, c.message = reason, message
}

// refused returns why the registry does not give an image, or nil.
func (k *kubelet) refused(ctx context.Context, pod *corev1.Pod, ref image.Reference) (refused, err error) {
	if err := ref.Refused(k.Faults); err != nil {
		return err, nil
	}
	if k.Verify == nil {
		return nil, nil
	}
	secrets, err := k.pullSecrets(ctx, pod)
	if err != nil {
		return nil, err
	}
	// A look-up is progress, and leaves the slot to others.
	defer k.Gate.Timer()()
	_ = work.Aside(ctx, func(ctx context.Context) error {
		refused = k.Verify(ctx, ref, k.nodes.platform(pod.Spec.NodeName), secrets.found > 0)
		return nil
	})
	return refused, ctx.Err()
}

// fetch waits for the image to come from a peer or from its registry.
func (k *kubelet) fetch(pod *corev1.Pod, c *container, ref image.Reference, now time.Time) (next outcome, ok bool) {
	slow := k.Faults.On(domain.FaultSlowPull, ref.Names()...)
	pull := k.stock.Pull(pod.Spec.NodeName, ref, slow, now)
	if !c.pulling {
		c.pulling, c.pullBegan = true, now
		k.event(pod, c, corev1.EventTypeNormal, "Pulling", "Pulling image %q", c.spec.Image)
		if pull.Takes > 0 {
			k.Simulated(podRef(pod), StepPull, pull.Takes)
		}
	}
	if pull.Until.After(now) {
		return outcome{simulated, pull.Until}, false
	}
	took := now.Sub(c.pullBegan).Truncate(time.Millisecond)
	k.event(pod, c, corev1.EventTypeNormal, "Pulled", "Successfully pulled image %q in %s (%s including waiting). Image size: 0 bytes.", c.spec.Image, took, took)
	c.pulling, c.changed = false, k.changed(c)
	return outcome{}, true
}

// pullWorks forgets the pulls that failed.
func (c *container) pullWorks() {
	c.pullTries = 0
	switch c.reason {
	case reasonErrPull, reasonPullBackOff, reasonNeverPull, reasonInvalidImage:
		c.reason, c.message = "", ""
	}
}

// pullFails makes the tries that the domain allows back to back, and then
// backs off, as a kubelet does, for as long as the image cannot be had.
func (k *kubelet) pullFails(ctx context.Context, pod *corev1.Pod, c *container, refused error, now time.Time) outcome {
	c.pullTries++
	k.event(pod, c, corev1.EventTypeNormal, "Pulling", "Pulling image %q", c.spec.Image)
	k.event(pod, c, corev1.EventTypeWarning, "Failed", "Failed to pull image %q: %v", c.spec.Image, refused)
	k.event(pod, c, corev1.EventTypeWarning, "Failed", "Error: %s", reasonErrPull)
	k.missPullSecrets(ctx, pod)
	if c.pullTries < domain.ImagePullTries {
		c.reason, c.message = reasonErrPull, refused.Error()
		return outcome{kind: goOn}
	}
	wait := domain.CrashBackoff(c.pullTries - domain.ImagePullTries + 1)
	c.backOff(k.BackoffPace.Scale(wait), now)
	c.reason, c.message = reasonPullBackOff, fmt.Sprintf("Back-off pulling image %q: %s: %v", c.spec.Image, reasonErrPull, refused)
	k.event(pod, c, corev1.EventTypeNormal, "BackOff", "Back-off pulling image %q", c.spec.Image)
	k.event(pod, c, corev1.EventTypeWarning, "Failed", "Error: %s", reasonPullBackOff)
	return outcome{backOff, c.until}
}

// pullSecrets are the Secrets with which a pod's images are pulled.
type pullSecrets struct {
	found   int
	missing []string
}

func (k *kubelet) pullSecrets(ctx context.Context, pod *corev1.Pod) (pullSecrets, error) {
	var all pullSecrets
	for _, ref := range pod.Spec.ImagePullSecrets {
		secret, err := lookup{k, pod}.secret(ctx, ref.Name)
		switch {
		case err != nil:
			return all, err
		case secret == nil:
			all.missing = append(all.missing, ref.Name)
		default:
			all.found++
		}
	}
	return all, nil
}

// missPullSecrets tells of Secrets that are missing, as a kubelet does once a
// pull has failed.
func (k *kubelet) missPullSecrets(ctx context.Context, pod *corev1.Pod) {
	secrets, err := k.pullSecrets(ctx, pod)
	if err != nil || len(secrets.missing) == 0 {
		return
	}
	k.events.pod(pod, "", corev1.EventTypeWarning, "FailedToRetrieveImagePullSecret",
		"Unable to retrieve some image pull secrets (%s); attempting to pull the image may not succeed.", strings.Join(secrets.missing, ", "))
}

// mirrors reports whether a pod shares its node's images with other nodes.
func mirrors(pod *corev1.Pod) bool {
	for _, c := range pod.Spec.Containers {
		if ref, err := image.Parse(c.Image); err == nil && ref.Base() == mirror {
			return true
		}
	}
	return false
}

// hasImages tells that a pod runs on a node, so its images must be there.
func (k *kubelet) hasImages(pod *corev1.Pod, now time.Time) {
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for _, c := range containers {
			if ref, err := image.Parse(c.Image); err == nil {
				k.stock.Put(pod.Spec.NodeName, ref, now)
			}
		}
	}
}
