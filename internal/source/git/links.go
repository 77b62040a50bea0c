package git

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// resolveLinks puts what symbolic links lead to in their place. Links that
// lead outside, to nothing, or to a folder around themselves are left out, as
// are those that only lead to such.
func (c *checkout) resolveLinks() error {
	waiting := c.links
	for range maxLinkPasses {
		var still []symbolicLink
		for _, link := range waiting {
			done, err := c.resolve(link)
			if err != nil {
				return err
			}
			if !done {
				still = append(still, link)
			}
		}
		if len(still) == 0 || len(still) == len(waiting) {
			return nil
		}
		waiting = still
	}
	return nil
}

// resolve reports whether a link's target was there.
func (c *checkout) resolve(link symbolicLink) (bool, error) {
	target, ok := linkTarget(link.rel, link.target)
	if !ok {
		return false, nil
	}
	info, err := c.root.Lstat(filepath.FromSlash(target))
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
		return false, nil
	}
	if info.IsDir() {
		return true, c.copyFolder(target, link.rel, 0)
	}
	return true, c.copyFile(target, link.rel, info)
}

// linkTarget returns where a link leads in the repository.
func linkTarget(rel, target string) (string, bool) {
	if target == "" || path.IsAbs(target) || strings.ContainsAny(target, "\\\x00") {
		return "", false
	}
	to := path.Join(path.Dir(rel), target)
	if !filepath.IsLocal(filepath.FromSlash(to)) || to == "." || to == rel || strings.HasPrefix(rel, to+"/") {
		return "", false
	}
	return to, true
}

func (c *checkout) copyFolder(from, to string, depth int) error {
	if depth > maxDepth {
		return nil
	}
	if err := c.makeFolder(to); err != nil {
		return err
	}
	folder, err := c.root.Open(filepath.FromSlash(from))
	if err != nil {
		return err
	}
	entries, err := folder.ReadDir(-1)
	folder.Close()
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		source, target := path.Join(from, entry.Name()), path.Join(to, entry.Name())
		if entry.IsDir() {
			err = c.copyFolder(source, target, depth+1)
		} else {
			err = c.copyFile(source, target, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *checkout) copyFile(from, to string, info fs.FileInfo) error {
	file, err := c.root.Open(filepath.FromSlash(from))
	if err != nil {
		return err
	}
	defer file.Close()
	err = c.file(to, info.Mode()&0o100 != 0, info.Size(), file)
	if os.IsExist(err) { // copied already, with a folder around it
		return nil
	}
	return err
}
