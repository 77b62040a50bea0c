package bucket

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// Index is what a bucket holds: the entity tag of each object, by its key.
type Index map[string]string

// Digest is what Flux calls the revision of a bucket. It depends on keys and
// tags alone, so that it is known before anything is downloaded.
func (x Index) Digest() string {
	sum := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(x)) {
		fmt.Fprintf(sum, "%s %s\n", key, x[key])
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}
