package postgres

import (
	"slices"

	"hearth/internal/standin/operator"
)

// tell completes the status from what was seen.
func (c *cluster) tell() {
	name := c.Object.GetName()
	var names, claims []any
	for _, pod := range c.pods {
		names = append(names, pod.Name)
	}
	for _, n := range slices.Sorted(keys(c.claims)) {
		claims = append(claims, c.claims[n].Name)
	}
	var healthyPods, failed []any
	for _, pod := range c.pods {
		if podReady(pod) {
			healthyPods = append(healthyPods, pod.Name)
		} else {
			failed = append(failed, pod.Name)
		}
	}
	status := map[string]any{}
	if healthyPods != nil {
		status["healthy"] = healthyPods
	}
	if failed != nil {
		status["failed"] = failed
	}
	c.status["instances"], c.status["readyInstances"] = int64(len(c.pods)), int64(len(healthyPods))
	c.status["instancesStatus"], c.status["instanceNames"], c.status["healthyPVC"] = status, list(names), list(claims)
	c.status["pvcCount"] = int64(len(c.claims))
	c.status["writeService"], c.status["readService"] = name+"-rw", name+"-r"
	c.status["image"] = c.image()
	c.status["certificates"] = map[string]any{
		"clientCASecret": name + "-ca", "serverCASecret": name + "-ca",
		"serverTLSSecret": name + "-server", "replicationTLSSecret": name + "-replication",
	}
	generation := c.Object.GetGeneration()
	ready := operator.Condition{Type: "Ready", Status: "False", Reason: "ClusterIsNotReady", Message: "Cluster Is Not Ready"}
	if c.status["phase"] == healthy {
		ready = operator.Condition{Type: "Ready", Reason: "ClusterIsReady", Message: "Cluster is Ready"}
	}
	operator.Conditions(c.status, generation, ready)
	if len(healthyPods) == 0 {
		return
	}
	operator.Conditions(c.status, generation, operator.Condition{
		Type: "ConsistentSystemID", Reason: "Unique", Message: "A single, unique system ID was found across reporting instances.",
	})
	if c.spec.archives() {
		operator.Conditions(c.status, generation, operator.Condition{
			Type: "ContinuousArchiving", Reason: "ContinuousArchivingSuccess", Message: "Continuous archiving is working",
		})
	}
}

// list returns a list that is a value of a status; nil is none.
func list(items []any) any {
	if items == nil {
		return nil
	}
	return items
}
