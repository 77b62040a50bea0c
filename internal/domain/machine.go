package domain

import "slices"

// State is one state of a lifecycle. Its text is the name that every view shows.
type State string

// Absent is the state before an object is created and after it is cleaned up:
// the start and the end of every machine.
const Absent State = "[*]"

// StateInfo says what a state means.
type StateInfo struct {
	State   State  `json:"state"`
	Meaning string `json:"meaning"`
	// Ready says that the object has arrived: dependants may go on.
	Ready bool `json:"ready,omitempty"`
	// Failed says that the last attempt went wrong.
	Failed bool `json:"failed,omitempty"`
	// BlocksPods says that a pod which refers to the Secret of this
	// ExternalSecret cannot start. It is false in the other machines.
	BlocksPods bool `json:"blocksPods,omitempty"`
	// Terminal says that nothing but the object's disappearance follows.
	Terminal bool `json:"terminal,omitempty"`
}

// Transition is one edge of a machine.
type Transition struct {
	From     State    `json:"from"`
	To       State    `json:"to"`
	Trigger  string   `json:"trigger"`
	Duration Duration `json:"duration,omitzero"`
	// Extra marks an edge that the drawn machine lacks and that Hearth permits
	// besides, because objects take it in life.
	Extra bool `json:"extra,omitempty"`
	// Why tells the reason of an extra edge.
	Why string `json:"why,omitempty"`
}

// Machine is the lifecycle of one kind of object. Treat it as read-only.
type Machine struct {
	Name string `json:"name"` // lower case, as in `hearth model NAME`
	Kind string `json:"kind"`
	// Kinds are those of its objects, where they are several.
	Kinds       []string     `json:"kinds,omitempty"`
	Meaning     string       `json:"meaning"`
	Initial     State        `json:"initial"`
	States      []StateInfo  `json:"states"`
	Transitions []Transition `json:"transitions"`
}

// Allows reports whether the machine has an edge between two states. From
// Absent only the initial state is entered; an unchanged state is no
// transition and is not allowed unless an edge says so.
func (m *Machine) Allows(from, to State) bool {
	return slices.ContainsFunc(m.Transitions, func(t Transition) bool { return t.From == from && t.To == to })
}

// Info returns what a state means in this machine; ok is false for a state
// that the machine does not have.
func (m *Machine) Info(s State) (info StateInfo, ok bool) {
	for _, i := range m.States {
		if i.State == s {
			return i, true
		}
	}
	return StateInfo{}, false
}

// Final returns the states that an object disappears from.
func (m *Machine) Final() []State {
	var final []State
	for _, t := range m.Transitions {
		if t.To == Absent && !slices.Contains(final, t.From) {
			final = append(final, t.From)
		}
	}
	return final
}

// Machines returns the four machines that the model draws, from Git to the
// container.
func Machines() []*Machine {
	return []*Machine{&kustomizationMachine, &releaseMachine, &secretMachine, &podMachine}
}

// MachineFor finds a machine, of all, by its name or by a kind that it describes.
func MachineFor(nameOrKind string) (m *Machine, ok bool) {
	for _, m := range all {
		if m.Name == nameOrKind || m.describes(nameOrKind) {
			return m, true
		}
	}
	return nil, false
}
