// Package sops decrypts what SOPS encrypted: whole manifests, files, and the
// entries of Secrets, in all five of its formats (YAML, JSON, dotenv, INI,
// binary), with the age identities of a Secret.
//
// Each value is authenticated together with its place in the document. Where
// the content is as SOPS wrote it, its checksum over all values is verified
// too; a manifest that went through kustomize has other values than before,
// so there it cannot be. Sizes and depths are bounded. No error holds a value
// or a key; what was decrypted is handed out beside the result, so that it can
// be kept out of other messages.
//
// Keys that are no age identities (PGP, cloud key services, Vault) and data
// keys that are split among several groups are told of, and not used. Which
// files and objects are decrypted, and with whose keys, is left to others.
package sops
