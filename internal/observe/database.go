package observe

import (
	"fmt"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"hearth/internal/domain"
	"hearth/internal/kube/health"
)

const (
	groupPostgres      = "postgresql.cnpg.io"
	conditionHibernate = "cnpg.io/hibernation"
)

// isDatabase reports whether a kind is one of databases.
func isDatabase(k schema.GroupKind) bool { return domain.DatabaseKind(k.Group, k.Kind) }

// databaseStatus is what operators of databases have in common.
type databaseStatus struct {
	Spec struct {
		Instances int `json:"instances"`
	} `json:"spec"`
	Status struct {
		Phase          string             `json:"phase"`
		PhaseReason    string             `json:"phaseReason"`
		ReadyInstances int                `json:"readyInstances"`
		Conditions     []metav1.Condition `json:"conditions"`
	} `json:"status"`
}

// phasesOfPostgres are the beginnings of how CloudNative-PG words a cluster's
// phase, and the states that they amount to.
var phasesOfPostgres = []struct {
	phase string
	state domain.State
}{
	{"Cluster in healthy state", domain.DatabaseReady},
	{"Setting up primary", domain.DatabaseCreating},
	{"Creating a new replica", domain.DatabaseCreating},
	{"Waiting for the instances to become active", domain.DatabaseCreating},
	{"Failing over", domain.DatabaseFailover},
	{"Switchover in progress", domain.DatabaseFailover},
	{"Promoting to primary cluster", domain.DatabaseFailover},
	{"Upgrading", domain.DatabaseUpdating},
	{"Cluster upgrade delayed", domain.DatabaseUpdating},
	{"Online upgrade in progress", domain.DatabaseUpdating},
	{"Primary instance is being restarted", domain.DatabaseUpdating},
	{"Applying configuration", domain.DatabaseUpdating},
	{"Waiting for user action", domain.DatabaseFailed},
	{"Unable to create", domain.DatabaseFailed},
	{"Cluster cannot", domain.DatabaseFailed},
	{"Cluster has incomplete or invalid image catalog", domain.DatabaseFailed},
	{"Cluster is unrecoverable", domain.DatabaseFailed},
	{"Not enough disk space", domain.DatabaseFailed},
}

// DatabaseState derives the state of a database: of CloudNative-PG's Cluster
// from its phase, of others from the condition Ready or Available, or else as
// kstatus has it.
func DatabaseState(obj *unstructured.Unstructured) Standing {
	created := since(obj.GetCreationTimestamp())
	if at := obj.GetDeletionTimestamp(); at != nil {
		return deleting(domain.DatabaseDeleting, at, "")
	}
	var d databaseStatus
	if err := readInto(obj, &d); err != nil {
		return Standing{State: domain.DatabasePending, Message: "its status cannot be read", Since: created}
	}
	if obj.GroupVersionKind().Group == groupPostgres {
		return postgresState(d, created)
	}
	return conventionalDatabase(obj, d)
}

// conventionalDatabase reads what most operators say, each in its own way.
func conventionalDatabase(obj *unstructured.Unstructured, d databaseStatus) Standing {
	created := since(obj.GetCreationTimestamp())
	for _, name := range []string{"Ready", "Available"} {
		c := conditionOf(d.Status.Conditions, name)
		switch c.Status {
		case metav1.ConditionTrue:
			s := told(domain.DatabaseReady, c)
			s.Ready = true
			return s
		case metav1.ConditionFalse, metav1.ConditionUnknown:
			s := told(domain.DatabaseCreating, c)
			if strings.Contains(c.Reason, "Fail") {
				s.State = domain.DatabaseFailed
			}
			return s
		}
	}
	content, _, _ := unstructured.NestedMap(obj.Object, "status")
	if len(content) == 0 {
		return Standing{State: domain.DatabasePending, Message: "its operator has not answered yet", Since: created}
	}
	r, err := health.Evaluate(obj, nil)
	s := Standing{State: domain.DatabaseCreating, Message: oneLine(r.Message), Since: created}
	switch {
	case err != nil:
		s.Message = oneLine(err.Error())
	case r.Status == status.CurrentStatus:
		s.State, s.Ready = domain.DatabaseReady, true
	case r.Status == status.FailedStatus:
		s.State = domain.DatabaseFailed
	}
	return s
}

func instances(d databaseStatus) string {
	return fmt.Sprintf("%d of %d instances ready", d.Status.ReadyInstances, d.Spec.Instances)
}
