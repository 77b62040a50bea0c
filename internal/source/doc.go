// Package source is where artifacts come from: a working tree, a Git
// repository, a chart. Each is kept in one content-addressed [Store] on disk,
// so that the same content is stored once, a reader never sees a half-written
// artifact, and an artifact never changes once it has a digest.
//
// A folder's artifact is what Flux would make of it: regular files only, less
// what .sourceignore and Flux's default excludes leave out. Its digest is that
// of the tar.gz the store's [Store.Handler] serves for it.
//
// What a source object asks for, and its status, are left to the reconcilers
// in engine; what becomes of the content to render.
package source
