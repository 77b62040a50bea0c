package domain

import "slices"

// The states of a database that an operator runs.
const (
	DatabasePending   State = "Pending"
	DatabaseCreating  State = "Creating"
	DatabaseReady     State = "Ready"
	DatabaseUpdating  State = "Updating"
	DatabaseFailover  State = "Failover"
	DatabaseDegraded  State = "Degraded"
	DatabaseFailed    State = "Failed"
	DatabaseSuspended State = "Hibernated"
	DatabaseDeleting  State = "Deleting"
)

// databaseEdges are what happens to a database that exists, whichever of these
// states it is in.
var databaseEdges = []Transition{
	{To: DatabaseReady, Trigger: "all instances up"},
	{To: DatabaseUpdating, Trigger: "spec, image or configuration changed"},
	{To: DatabaseFailover, Trigger: "primary lost, or switched over"},
	{To: DatabaseDegraded, Trigger: "an instance lost"},
	{To: DatabaseFailed, Trigger: "its operator gave up"},
	{To: DatabaseSuspended, Trigger: "put to sleep"},
	{To: DatabaseDeleting, Trigger: "deleted"},
}

var databaseMachine = Machine{
	Name:    "database",
	Kind:    "Database",
	Kinds:   databaseKinds(),
	Meaning: "how an operator makes and keeps a database; applications wait until it is Ready",
	Initial: DatabasePending,
	States: []StateInfo{
		{State: DatabasePending, Meaning: "its operator has not answered yet"},
		{State: DatabaseCreating, Meaning: "the first instances are being made"},
		{State: DatabaseReady, Meaning: "all instances are up", Ready: true},
		{State: DatabaseUpdating, Meaning: "instances are being changed or restarted, one after another"},
		{State: DatabaseFailover, Meaning: "another instance becomes the primary"},
		{State: DatabaseDegraded, Meaning: "it serves with fewer instances than wanted", Failed: true},
		{State: DatabaseFailed, Meaning: "its operator cannot go on: a person is needed", Failed: true},
		{State: DatabaseSuspended, Meaning: "put to sleep; its volumes are kept", Ready: true},
		{State: DatabaseDeleting, Meaning: "being deleted, and its data with it", Terminal: true},
	},
	Transitions: databaseTransitions(),
}

func databaseTransitions() []Transition {
	list := []Transition{
		{From: Absent, To: DatabasePending, Trigger: "created"},
		{From: DatabasePending, To: DatabaseCreating, Trigger: "taken by its operator", Duration: Duration{Nature: Seconds}},
		{From: DatabasePending, To: DatabaseFailed, Trigger: "refused by its operator"},
		{From: DatabasePending, To: DatabaseDeleting, Trigger: "deleted"},
	}
	for _, from := range []State{DatabaseCreating, DatabaseReady, DatabaseUpdating, DatabaseFailover, DatabaseDegraded, DatabaseFailed, DatabaseSuspended} {
		for _, e := range databaseEdges {
			if e.To == from {
				continue
			}
			e.From = from
			list = append(list, e)
		}
	}
	return append(list, Transition{From: DatabaseDeleting, To: Absent, Trigger: "instances and volumes removed"})
}

// databaseKinds lists the kinds of databases.
func databaseKinds() []string {
	var list []string
	DatabaseKinds(func(_, kind string) { list = append(list, kind) })
	slices.Sort(list)
	return slices.Compact(list)
}
