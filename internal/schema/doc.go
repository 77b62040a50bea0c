// Package schema holds objects against the schemas of their kinds, as the API
// server would: Kubernetes' own OpenAPI schemas, those of the custom kinds that
// Hearth brings along, both embedded, and any other custom resource definition
// that the caller has at hand.
//
// It promises that what it reports the API server refuses, at the path it
// names, and that no message holds a value out of a Secret or of a field that
// looks like a credential. Schemas are decoded when an object first needs them,
// and nothing is read from the network.
//
// CEL rules, what admission webhooks would say, and the checks that Kubernetes
// makes in code beyond its schemas are left out. Finding file and line of a
// path is left to the caller.
package schema
