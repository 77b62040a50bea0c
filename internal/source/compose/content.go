package compose

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"hearth/internal/source/oci"
)

// maxMerged is how long a file may be that is merged with another.
const maxMerged = 8 << 20

// merge lays the values of a file over those of the one that is there, as Helm
// does with values: maps are merged, everything else is replaced.
func (c *copier) merge(name, target string) error {
	over, err := values(c.from, name)
	if err != nil {
		return fmt.Errorf("read '%s': %w", name, err)
	}
	under, err := values(c.to, target)
	if err != nil {
		return fmt.Errorf("read '%s' of the artifact: %w", target, err)
	}
	content, err := yaml.Marshal(merged(under, over))
	if err != nil {
		return fmt.Errorf("merge '%s': %w", name, err)
	}
	return c.to.WriteFile(target, content, 0o644)
}

// values reads a file's YAML documents, laid over each other in their order.
func values(root *os.Root, name string) (map[string]any, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxMerged+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxMerged {
		return nil, fmt.Errorf("it is larger than %d MiB", maxMerged>>20)
	}
	all := map[string]any{}
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		one := map[string]any{}
		if err := yaml.Unmarshal(document, &one); err != nil {
			return nil, errors.New("it is no YAML map") // the cause may cite what it holds
		}
		all = merged(all, one)
	}
}

func merged(under, over map[string]any) map[string]any {
	all := maps.Clone(under)
	for key, value := range over {
		inner, isMap := value.(map[string]any)
		below, wasMap := all[key].(map[string]any)
		if isMap && wasMap {
			value = merged(below, inner)
		}
		all[key] = value
	}
	return all
}

// extract unpacks a tar.gz. One that a pattern fitted by chance, and is none,
// is passed over.
func (c *copier) extract(name string, byPattern bool) error {
	lower := strings.ToLower(name)
	if !strings.HasSuffix(lower, ".tar.gz") && !strings.HasSuffix(lower, ".tgz") {
		if byPattern {
			return nil
		}
		return fmt.Errorf("extract strategy requires tarball file (.tar.gz or .tgz), got '%s'", name)
	}
	file, err := c.from.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.IsDir() {
		return err
	}
	if err := c.to.MkdirAll(c.target, 0o755); err != nil {
		return err
	}
	// There is no link in the new artifact that the path could lead out by.
	if err := oci.Unpack(c.ctx, file, filepath.Join(c.to.Name(), filepath.FromSlash(c.target))); err != nil {
		return fmt.Errorf("failed to extract tarball '%s' to '%s': %w", name, c.target, err)
	}
	return c.spent.recount(c.to)
}

// usage is what an artifact holds, as far as it was looked at.
type usage struct {
	files int
	bytes int64
}

// recount looks at all files that there are.
func (u *usage) recount(root *os.Root) error {
	*u = usage{}
	return fs.WalkDir(root.FS(), ".", func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return u.add(1, info.Size())
	})
}

// add reports an artifact that becomes too large with what is added.
func (u *usage) add(files int, bytes int64) error {
	u.files, u.bytes = u.files+files, u.bytes+bytes
	if u.files > maxFiles || u.bytes > maxBytes {
		return fmt.Errorf("it would hold more than %d files or %d MiB", maxFiles, maxBytes>>20)
	}
	return nil
}
