// Package integration holds the tests that need a real API server: one
// embedded control plane, started once for the whole package, with every
// custom resource definition of Hearth installed and no nodes. One file per
// room; each test takes a fresh namespace of its own.
package integration
