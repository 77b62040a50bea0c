package bucket

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// maxKey is how long a key may be; S3 allows 1024 bytes.
const maxKey = 1024

// pathOf returns where an object is written, relative to the folder. As with
// Flux, "/a//b" is written where "a/b" is.
func pathOf(key string) (string, error) {
	if len(key) > maxKey {
		return "", fmt.Errorf("its key is longer than %d bytes", maxKey)
	}
	if strings.ContainsAny(key, "\\\x00") || slices.Contains(strings.Split(key, "/"), "..") {
		return "", fmt.Errorf("its key %q leads out of the bucket", key)
	}
	name := path.Clean("/" + key)[1:]
	if name == "" {
		return "", fmt.Errorf("its key %q is no file's name", key)
	}
	return name, nil
}
