// Package git reads Git repositories over https, http and ssh: what a
// reference points at, the objects it takes, and the files they hold.
//
// A [Session] first learns what the server has, which costs one exchange and
// tells whether anything is new. Only then a commit is fetched, without its
// history where the server can, verified by its signature where that is asked
// for, and written to a folder as files.
//
// Whatever comes from a server is bounded: packs, objects, files, folders and
// submodules. Nothing is written outside the folder, and no symbolic link is
// written at all: a link's content is, where it lies in the repository.
// Link-local and metadata addresses are never connected to, and a public server
// cannot lead to a private one. Credentials go to the repository's own server
// alone and are in no error.
//
// What a source object asks for and what its status says are left to the
// engine; what is kept of the files to the store.
package git
