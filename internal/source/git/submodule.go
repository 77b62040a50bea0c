package git

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"hearth/internal/source/guard"
)

const (
	maxSubmodules     = 100
	maxNested         = 10
	maxModulesFile    = 1 << 20
	submodulesFile    = ".gitmodules"
	reachableSHA1Want = capability.Capability("allow-reachable-sha1-in-want")
	anySHA1Want       = capability.Capability("allow-any-sha1-in-want")
)

// modules writes the submodules of a commit, which are at the paths given.
func (c *checkout) modules(s *Snapshot, tree *object.Tree, prefix string, commits map[string]plumbing.Hash, nested int) error {
	if nested >= maxNested {
		return fmt.Errorf("submodules are nested more than %d deep", maxNested)
	}
	entry, err := tree.FindEntry(submodulesFile)
	if errors.Is(err, object.ErrEntryNotFound) || errors.Is(err, object.ErrDirectoryNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	content, err := readBlob(s.storage, entry.Hash, maxModulesFile)
	if err != nil {
		return fmt.Errorf("read %s: %w", submodulesFile, err)
	}
	urls, err := parseModules(content)
	if err != nil {
		return fmt.Errorf("read %s: %w", submodulesFile, err)
	}
	for _, rel := range slices.Sorted(maps.Keys(commits)) {
		raw, ok := urls[strings.TrimPrefix(rel, strings.TrimSuffix(prefix, "/")+"/")]
		if prefix == "" {
			raw, ok = urls[rel]
		}
		if !ok {
			continue // a commit noted without saying of what
		}
		if err := c.module(s, raw, rel, commits[rel], nested); err != nil {
			return fmt.Errorf("submodule %s: %w", legible(rel), err)
		}
	}
	return nil
}

// parseModules reads a .gitmodules file: URLs by path.
func parseModules(content []byte) (map[string]string, error) {
	modules := config.NewModules()
	if err := modules.Unmarshal(content); err != nil {
		return nil, errors.New("it cannot be parsed")
	}
	urls := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(modules.Submodules)) {
		if m := modules.Submodules[name]; m.Path != "" && m.URL != "" {
			urls[path.Clean(m.Path)] = m.URL
		}
	}
	return urls, nil
}

// module fetches and writes one submodule.
func (c *checkout) module(parent *Snapshot, raw, rel string, commit plumbing.Hash, nested int) error {
	if c.submodules++; c.submodules > maxSubmodules {
		return fmt.Errorf("there are more than %d submodules", maxSubmodules)
	}
	from := parent.session
	u, err := submoduleURL(from.url, raw)
	if err != nil {
		return err
	}
	remote := from.remote
	remote.URL = u.String()
	if u.Scheme != "ssh" && (u.Scheme != from.url.Scheme || guard.HostPort(u) != guard.HostPort(from.url)) {
		remote.Credentials = remote.Credentials.withoutSecrets()
	} else if u.User == nil {
		u.User = from.url.User
	}
	session, err := open(c.ctx, u, remote, from.guard.Child(u))
	if err != nil {
		return err
	}
	defer session.Close()
	snapshot, err := session.fetchCommit(c, commit)
	if err != nil {
		return fmt.Errorf("unable to clone '%s': %w", shown(u), because(c.ctx, err))
	}
	defer snapshot.Close()
	return c.snapshot(snapshot, rel, true, nested+1)
}

// fetchCommit gets a commit by its hash, with its history where the server
// gives commits only by their references.
func (s *Session) fetchCommit(c *checkout, commit plumbing.Hash) (*Snapshot, error) {
	t := Target{Commit: commit, pinned: true}
	want, direct := s.leading(t)
	if !direct && (s.refs.Capabilities.Supports(reachableSHA1Want) || s.refs.Capabilities.Supports(anySHA1Want)) {
		want, direct = []plumbing.Hash{commit}, true
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, err
	}
	return s.get(c.ctx, t, want, direct, c.dir)
}
