// Package storage holds the rules on where data is stored.
//
// What a storage class is, is told by the provisioner of its StorageClass, by
// the values of the chart that makes it, or by the volumes that are bound to it
// by hand; what it is for, by .hearth.yaml. A class of which neither is known
// is not judged, and no application is judged by its name: only servers of
// databases are told, by their images.
package storage

import "hearth/internal/rule"

// Rules are the rules of the topic storage.
var Rules = []*rule.Rule{storageClass}
