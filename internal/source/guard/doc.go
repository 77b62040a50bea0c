// Package guard decides which addresses may be connected to for the sake of an
// object of the cluster.
//
// Link-local addresses, those at which clouds tell machines their secrets, and
// those that are no host's are never connected to. A homelab's own servers
// stand at private addresses, so these are reached where the owner wrote them
// down; but a public server cannot lead to a private one, by a redirect or by a
// name that changes what it stands for. Every address is looked at in the
// moment of the connection, so that what a name stood for earlier does not
// count.
package guard
