package domain

import (
	"cmp"
	"fmt"
	"strings"
)

// Ref names one object of a cluster in the domain's language. Its zero
// Namespace means a cluster-scoped object. Values are comparable.
type Ref struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns "Kind namespace/name", or "Kind name" without a namespace.
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Namespace + "/" + r.Name
}

// Compare orders references by kind, namespace and name.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(
		strings.Compare(r.Kind, o.Kind),
		strings.Compare(r.Namespace, o.Namespace),
		strings.Compare(r.Name, o.Name),
	)
}

// Place is where in Git something stands. Line counts from 1; 0 means that
// only the file is known. File is relative to the repository's root and uses
// forward slashes. The zero Place is unknown.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// Known reports whether the place names a file.
func (p Place) Known() bool { return p.File != "" }

// String returns "file:line", "file", or the empty string.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}
