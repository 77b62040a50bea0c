// Package bucket fetches what an S3-compatible object storage holds: it lists
// a bucket's objects, tells by one digest whether they are what they were, and
// writes them below a folder.
//
// What is listed and what is written is bounded, no object's key leads out of
// the folder, and no server leads to a link-local or metadata address. Which
// bucket, with which credentials, and what becomes of its content is left to
// the callers.
package bucket
