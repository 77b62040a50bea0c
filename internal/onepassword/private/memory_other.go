//go:build !linux

package private

// memoryFolder returns empty: other systems have no folder in memory that one
// could count on.
func memoryFolder() string { return "" }
