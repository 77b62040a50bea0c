// Package domain is the language of a homelab that is run from Git: the
// lifecycles of its objects as state machines, how long things take and how
// often they are tried, the order in which infrastructure comes up, which
// storage and which gateway serve which purpose, what can go wrong, and the
// events that the rest of the house listens for.
//
// Everything here is data and plain arithmetic. The package imports nothing
// but the standard library, reads no files and keeps no clock. Deriving a
// state from real objects is left to package observe, and judging a tree by
// the tables to package rule.
//
// Functions that return tables return fresh copies or values that callers
// must treat as read-only; all of them may be called concurrently.
package domain
