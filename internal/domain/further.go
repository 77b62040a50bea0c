package domain

import "slices"

// FurtherMachines returns the machines of what applications stand on, beside
// the four that the model draws: they are drawn by the same rules, from what
// the conditions and phases of those kinds can tell.
func FurtherMachines() []*Machine {
	return []*Machine{&sourceMachine, &routeMachine, &gatewayMachine, &claimMachine, &certificateMachine, &databaseMachine, &nodeMachine}
}

// AllMachines returns the four machines and the further ones.
func AllMachines() []*Machine { return slices.Clone(all) }

var all = slices.Concat(Machines(), FurtherMachines())

// describes reports whether the machine is that of a kind of objects.
func (m *Machine) describes(kind string) bool {
	return m.Kind == kind || slices.Contains(m.Kinds, kind)
}
