package snapshot

import "k8s.io/apimachinery/pkg/api/resource"

// bytesOf returns a quantity in bytes, which is how contents tell sizes.
func bytesOf(size string) int64 {
	quantity, err := resource.ParseQuantity(size)
	if err != nil {
		return 0
	}
	return quantity.Value()
}
