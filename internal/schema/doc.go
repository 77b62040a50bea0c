// Package schema holds objects against the schemas of their kinds, as the API
// server would: Kubernetes' own OpenAPI schemas, those of the custom kinds that
// Hearth itself brings along and those of common operators, all embedded, and
// any other custom resource definition that the caller has at hand, which
// counts first.
//
// It promises that what it reports the API server refuses, at the path it
// names. By the definition of an operator that is a server which has the
// release that the problem names; what a later release may admit is marked as
// novel. No message holds a value out of a Secret or of a field that looks like
// a credential. Schemas are unpacked and decoded when an object first needs
// them, and nothing is read from the network.
//
// CEL rules, what admission webhooks would say, and the checks that Kubernetes
// makes in code beyond its schemas are left out. Finding file and line of a
// path is left to the caller.
package schema
