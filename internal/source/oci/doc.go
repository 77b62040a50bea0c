// Package oci reads artifacts from OCI registries: what a reference points at,
// the manifest, one of its layers, and who signed it.
//
// A [Repository] first resolves a reference, which costs one exchange and tells
// whether anything is new. Only then the manifest and the layer that is asked
// for are fetched. Both are held to their digests and sizes.
//
// Whatever comes from a registry is bounded: answers, tags, layers, and what is
// unpacked of them. Nothing is written outside a folder, and no link is
// written at all. Link-local and metadata addresses are never connected to, and
// a public registry cannot lead to a private server. Credentials go to the
// registry they are for, and to the service that it names for tokens, and are
// in no error.
//
// Signatures are verified by public keys as cosign makes them, beside the
// artifact or as bundles that refer to it; by the identity in a certificate, for
// which the owner names the authorities to trust; and by certificates and a
// trust policy as Notation does. What a source object asks for is left to the
// engine, what is kept to the store.
package oci
