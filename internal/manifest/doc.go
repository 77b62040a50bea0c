// Package manifest reads YAML documents that know where they stand: each
// document, field and list item is found again by file and line.
//
// It promises that a stream which parses is safe to work with: its size,
// depth and the growth through aliases are bounded, its text is UTF-8, and no
// anchor contains itself. Anchors, aliases and merge keys are resolved where
// values are read. Problems are told with file and line and never hold a
// value, since documents hold secrets.
//
// What a document means (which cluster, which application) is left to package
// repo, and whether it is valid for a Kubernetes API to package rule.
package manifest
