// Package repo reads a homelab repository: its root and Git revision, its
// .hearth.yaml, the clusters that live in it, where each cluster's Flux starts
// to read (the entry), and what has to be there before Flux runs (the
// bootstrap).
//
// It reads files and nothing else: no network, no cluster, no process. Nothing
// outside the root is read, and all sizes are bounded. A broken file is a
// problem of the repository with file and line, and never keeps the other
// files from being read. Values of Secrets are passed on in objects only.
//
// Building what Flux would apply is left to package render, and judging it to
// package rule.
package repo
