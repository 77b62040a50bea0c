package repo

import (
	"path"
	"strings"
)

// clean returns a path of the repository without "./" or a slash at its ends;
// "." is the root.
func clean(p string) string {
	return path.Clean(strings.TrimLeft(p, "/"))
}

// within reports whether a file or folder is folder itself or stands in it.
func within(folder, name string) bool {
	return folder == "." || folder == name || strings.HasPrefix(name, folder+"/")
}

// local reports whether a relative path stays below the root.
func local(p string) bool {
	p = path.Clean(p)
	return !path.IsAbs(p) && p != ".." && !strings.HasPrefix(p, "../")
}

// common returns the deepest folder that holds both.
func common(a, b string) string {
	for !within(a, b) {
		a = path.Dir(a)
	}
	return a
}
