// Package yamltext writes and reads the YAML that charts pass around in their
// templates, byte for byte and value for value as sigs.k8s.io/yaml does, without
// its detour through JSON.
//
// It promises nothing about YAML as such: what it is not sure of (rare types,
// control characters, anchors, flow collections, text over several lines …) it
// leaves to that library, and says so. Fuzz tests hold the two together.
package yamltext
