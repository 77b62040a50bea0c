// Package resourceset makes the objects that a ResourceSet describes: it
// combines inputs, executes templates over them with flux-operator's delimiters
// and functions, and takes doubles out.
//
// Templates are somebody else's text. They reach nothing but their inputs; how
// much they read, make, and compute is bounded, and they end when the context
// does. The same templates and inputs always make the same objects. Where
// inputs come from, and what becomes of the objects, is left to others.
package resourceset
