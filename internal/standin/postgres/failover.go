package postgres

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// failOver makes a replica that serves the primary where the primary does not,
// and reports whether it did.
func (c *cluster) failOver(ctx context.Context) (bool, error) {
	current, _ := c.status["currentPrimary"].(string)
	if current == "" {
		return false, nil
	}
	ready := c.ready()
	for _, pod := range ready {
		if pod.Name == current {
			return false, nil
		}
	}
	if len(ready) == 0 {
		return false, nil // nobody could take over
	}
	target := ready[0].Name
	if err := c.Tell(ctx, component, corev1.EventTypeNormal, "FailingOver", "Current primary isn't healthy, initiating a failover from %s", current); err != nil {
		return false, err
	}
	if err := c.Tell(ctx, component, corev1.EventTypeNormal, "FailoverTarget", "Failing over from %s to %s", current, target); err != nil {
		return false, err
	}
	c.phase(failing, fmt.Sprintf("Failing over from %s to %s", current, target))
	c.status["targetPrimary"], c.status["targetPrimaryTimestamp"] = target, now()
	c.status["currentPrimary"], c.status["currentPrimaryTimestamp"] = target, now()
	timeline, _ := c.status["timelineID"].(int64)
	c.status["timelineID"] = max(timeline, 1) + 1
	return true, c.label(ctx)
}

// bury deletes the pods of instances that have ended, such as evicted ones:
// they never start again, and keep their successors from being made.
func (c *cluster) bury(ctx context.Context) error {
	for _, pod := range c.pods {
		if pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded || pod.DeletionTimestamp != nil {
			continue
		}
		if err := c.Client.Delete(ctx, pod, client.Preconditions{UID: &pod.UID}); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete the ended instance %s/%s: %w", pod.Namespace, pod.Name, err)
		}
		if err := c.Tell(ctx, component, corev1.EventTypeNormal, "DeletePod", "Deleted evicted/unscheduled Pod %s", pod.Name); err != nil {
			return err
		}
	}
	return nil
}

// label tells by labels which instance leads, so that Services select it.
func (c *cluster) label(ctx context.Context) error {
	target, _ := c.status["targetPrimary"].(string)
	current, _ := c.status["currentPrimary"].(string)
	for _, pod := range c.pods {
		role := replica
		if pod.Name == target {
			role = primary
			if current != target && podReady(pod) {
				c.status["currentPrimary"], c.status["currentPrimaryTimestamp"] = target, now()
				c.status["timelineID"] = int64(1)
			}
		}
		if pod.Labels[labelRole] == role {
			continue
		}
		before := pod.DeepCopy()
		pod.Labels[labelRole], pod.Labels[labelOldRole] = role, role
		if err := c.Client.Patch(ctx, pod, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("label the instance %s/%s: %w", pod.Namespace, pod.Name, err)
		}
	}
	return nil
}

// shrink takes the youngest replica away, with its volume.
func (c *cluster) shrink(ctx context.Context) error {
	target, _ := c.status["targetPrimary"].(string)
	for i := len(c.pods) - 1; i >= 0; i-- {
		pod := c.pods[i]
		if pod.Name == target || pod.DeletionTimestamp != nil {
			continue
		}
		if err := c.Tell(ctx, component, corev1.EventTypeNormal, "ScaleDown", "Scaling down: removing instance %s", pod.Name); err != nil {
			return err
		}
		for _, name := range []string{pod.Name, pod.Name + "-wal"} {
			claim := &corev1.PersistentVolumeClaim{}
			claim.Namespace, claim.Name = pod.Namespace, name
			if err := c.Client.Delete(ctx, claim); client.IgnoreNotFound(err) != nil {
				return fmt.Errorf("delete the volume of the instance %s/%s: %w", pod.Namespace, pod.Name, err)
			}
		}
		if err := c.Client.Delete(ctx, pod); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete the instance %s/%s: %w", pod.Namespace, pod.Name, err)
		}
		return nil
	}
	return nil
}
