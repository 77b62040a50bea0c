package diff

import "strings"

// isNoise reports whether a field only repeats the version of a chart, or the
// digest of what is told as a difference of its own.
func isNoise(f Field) bool {
	n := len(f.steps)
	if n < 3 || !isMetadataMap(f.steps[n-2].name) || f.steps[n-3].name != "metadata" {
		return false
	}
	switch f.steps[n-1].name {
	case "helm.sh/chart", "chart", "app.kubernetes.io/version":
		return true
	}
	name := f.steps[n-1].name
	return strings.HasPrefix(name, "checksum/") || strings.HasPrefix(name, "checksum-") || strings.HasSuffix(name, "/checksum") ||
		strings.HasSuffix(name, "-checksum") || strings.HasSuffix(name, "/configmap-hash") || strings.HasSuffix(name, "/config-hash")
}
