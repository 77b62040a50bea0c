package compose

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	generator "github.com/fluxcd/source-watcher/api/v2/v1beta1"
	"github.com/google/go-cmp/cmp"
)

func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// pack makes a tar.gz.
func pack(t testing.TB, files map[string]string) string {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zip)
	for name, content := range files {
		if err := archive.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(content)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

func op(from, to, strategy string, exclude ...string) generator.CopyOperation {
	return generator.CopyOperation{From: from, To: to, Strategy: strategy, Exclude: exclude}
}

func TestCopy(t *testing.T) {
	sources := map[string]string{
		"a": write(t, map[string]string{
			"x.yaml": "x", "y.md": "y", "conf/app.yaml": "app", "conf/sub/db.yaml": "db", "conf/sub/readme.md": "md",
			"conf/deep/er/z.yaml": "z", "values.yaml": "{a: {b: 1, c: [1]}, d: 1}", "two.yaml": "a: {e: 1}\n---\nd: 2\n",
			"pack/one.tgz": pack(t, map[string]string{"chart/Chart.yaml": "name: one", "chart/values.yaml": "v"}), "pack/more/two.TAR.GZ": pack(t, map[string]string{"b": "two"}), "pack/note.txt": "n",
		}),
		"b": write(t, map[string]string{"conf/app.yaml": "other", "conf/new.yaml": "new"}),
	}
	for name, test := range map[string]struct {
		operations []generator.CopyOperation
		want       map[string]string
	}{
		"a file to a name":            {[]generator.CopyOperation{op("@a/x.yaml", "@artifact/y/z.yaml", "")}, map[string]string{"y/z.yaml": "x"}},
		"a file to a folder":          {[]generator.CopyOperation{op("@a/x.yaml", "@artifact/y/", "Overwrite")}, map[string]string{"y/x.yaml": "x"}},
		"a file to the root":          {[]generator.CopyOperation{op("@a/x.yaml", "@artifact/", "")}, map[string]string{"x.yaml": "x"}},
		"a file to a folder there is": {[]generator.CopyOperation{op("@b/conf", "@artifact/", ""), op("@a/x.yaml", "@artifact/conf", "")}, map[string]string{"conf/app.yaml": "other", "conf/new.yaml": "new", "conf/x.yaml": "x"}},
		"a folder":                    {[]generator.CopyOperation{op("@b/conf", "@artifact/dest", "")}, map[string]string{"dest/conf/app.yaml": "other", "dest/conf/new.yaml": "new"}},
		"a folder with a slash":       {[]generator.CopyOperation{op("@b/conf/", "@artifact/dest/", "")}, map[string]string{"dest/conf/app.yaml": "other", "dest/conf/new.yaml": "new"}},
		"everything":                  {[]generator.CopyOperation{op("@b/", "@artifact/", "")}, map[string]string{"conf/app.yaml": "other", "conf/new.yaml": "new"}},
		"everything below":            {[]generator.CopyOperation{op("@b/**", "@artifact/", "")}, map[string]string{"conf/app.yaml": "other", "conf/new.yaml": "new"}},
		"all below a folder": {[]generator.CopyOperation{op("@a/conf/**", "@artifact/dest/", "")},
			map[string]string{"dest/app.yaml": "app", "dest/sub/db.yaml": "db", "dest/sub/readme.md": "md", "dest/deep/er/z.yaml": "z"}},
		"by ending": {[]generator.CopyOperation{op("@a/conf/*.yaml", "@artifact/", "")}, map[string]string{"conf/app.yaml": "app"}},
		// As in Flux, which matches here without "**".
		"two stars are one folder": {[]generator.CopyOperation{op("@a/conf/**/*.yaml", "@artifact/", "")}, map[string]string{"conf/sub/db.yaml": "db"}},
		"later over earlier":       {[]generator.CopyOperation{op("@a/conf/app.yaml", "@artifact/conf/", ""), op("@b/**", "@artifact/", "")}, map[string]string{"conf/app.yaml": "other", "conf/new.yaml": "new"}},
		"without a name at any depth": {[]generator.CopyOperation{op("@a/conf/**", "@artifact/", "", "*.md")},
			map[string]string{"app.yaml": "app", "sub/db.yaml": "db", "deep/er/z.yaml": "z"}},
		"without a path of the source":  {[]generator.CopyOperation{op("@a/conf/**", "@artifact/", "", "conf/sub/**", "conf/deep")}, map[string]string{"app.yaml": "app"}},
		"without a path of what counts": {[]generator.CopyOperation{op("@a/conf", "@artifact/", "", "sub/**", "deep")}, map[string]string{"conf/app.yaml": "app"}},
		"without the only file":         {[]generator.CopyOperation{op("@a/x.yaml", "@artifact/", "", "x.*"), op("@a/y.md", "@artifact/", "")}, map[string]string{"y.md": "y"}},
		"merged":                        {[]generator.CopyOperation{op("@a/values.yaml", "@artifact/v.yaml", ""), op("@a/two.yaml", "@artifact/v.yaml", "Merge")}, map[string]string{"v.yaml": "a:\n  b: 1\n  c:\n  - 1\n  e: 1\nd: 2\n"}},
		"merged with nothing":           {[]generator.CopyOperation{op("@a/values.yaml", "@artifact/v.yaml", "Merge")}, map[string]string{"v.yaml": "{a: {b: 1, c: [1]}, d: 1}"}},
		"unpacked":                      {[]generator.CopyOperation{op("@a/pack/one.tgz", "@artifact/charts/", "Extract")}, map[string]string{"charts/chart/Chart.yaml": "name: one", "charts/chart/values.yaml": "v"}},
		"unpacked by pattern": {[]generator.CopyOperation{op("@a/pack/**", "@artifact/", "Extract")},
			map[string]string{"chart/Chart.yaml": "name: one", "chart/values.yaml": "v", "b": "two"}},
		"unpacked, but one": {[]generator.CopyOperation{op("@a/pack/**", "@artifact/", "Extract", "one.tgz")}, map[string]string{"b": "two"}},
	} {
		dir := t.TempDir()
		if err := Copy(t.Context(), test.operations, sources, dir); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(test.want, read(t, dir)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestCopyKeepsWhoMayExecute(t *testing.T) {
	source, dir := write(t, map[string]string{"run": "x", "plain": "x"}), t.TempDir()
	if err := os.Chmod(filepath.Join(source, "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	operations := []generator.CopyOperation{op("@a/plain", "@artifact/run", ""), op("@a/run", "@artifact/run", ""), op("@a/plain", "@artifact/plain", "")}
	if err := Copy(t.Context(), operations, map[string]string{"a": source}, dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"run": 0o100, "plain": 0} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode()&0o100 != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestCopyRefuses(t *testing.T) {
	outside := write(t, map[string]string{"secret": "hunter2"})
	source := write(t, map[string]string{
		"a": "a", "dir/b": "b", "list.yaml": "- 1", "wrong.yaml": "hunter2: [", "plain.tgz": "hunter2",
		"escape.tgz": pack(t, map[string]string{"../../x": "x"}), "absolute.tgz": pack(t, map[string]string{"/x": "x"}),
	})
	for name, to := range map[string]string{"link": outside, "file": filepath.Join(outside, "secret")} {
		if err := os.Symlink(to, filepath.Join(source, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		operation generator.CopyOperation
		err       string
	}{
		"no such file":            {op("@s/none", "@artifact/", ""), "source 'none' does not exist"},
		"no such source":          {op("@t/a", "@artifact/", ""), "source alias 't' not found"},
		"no source":               {op("a", "@artifact/", ""), "must have the form"},
		"nothing that fits":       {op("@s/*.none", "@artifact/", ""), "no files match pattern '*.none' in source 's'"},
		"nothing is left":         {op("@s/a*", "@artifact/", "", "*"), "were excluded"},
		"out of the source":       {op("@s/../a", "@artifact/", ""), "leads out of the source"},
		"out of it and back":      {op("@s/dir/../../s/a", "@artifact/", ""), "leads out of the source"},
		"out of the artifact":     {op("@s/a", "@artifact/../a", ""), "leads out of the artifact"},
		"round about":             {op("@s/a", "@artifact/x/../../a", ""), "leads out of the artifact"},
		"to the root of all":      {op("@s/a", "@artifact//etc/a", ""), "leads out of the artifact"},
		"not the artifact":        {op("@s/a", "@other/a", ""), "must start with '@artifact/'"},
		"a backslash":             {op("@s/a", `@artifact/..\a`, ""), "leads out of the artifact"},
		"a NUL":                   {op("@s/a\x00", "@artifact/", ""), "invalid pattern"},
		"no pattern":              {op("@s/[", "@artifact/", ""), "invalid pattern"},
		"no exclude pattern":      {op("@s/a", "@artifact/", "", "[a-"), "invalid pattern"},
		"too many choices":        {op("@s/a", "@artifact/", "", strings.Repeat("{a,b}", 17)), "invalid pattern"},
		"through a link":          {op("@s/link/secret", "@artifact/", ""), "escapes"},
		"a link":                  {op("@s/file", "@artifact/", ""), "escapes"},
		"an archive that escapes": {op("@s/escape.tgz", "@artifact/", "Extract"), "leaves it"},
		"an absolute archive":     {op("@s/absolute.tgz", "@artifact/", "Extract"), "leaves it"},
		"no archive":              {op("@s/plain.tgz", "@artifact/", "Extract"), "no tar.gz"},
		"no archive's name":       {op("@s/a", "@artifact/", "Extract"), "requires tarball file"},
		"a folder to unpack":      {op("@s/dir", "@artifact/", "Extract"), "not supported for directories"},
		"a file over a folder":    {op("@s/dir/b", "@artifact/dir/b/c", ""), ""},
	} {
		dir := t.TempDir()
		err := Copy(t.Context(), []generator.CopyOperation{test.operation}, map[string]string{"s": source}, dir)
		if (err == nil) != (test.err == "") || err != nil && (!strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"list.yaml", "wrong.yaml"} {
		operations := []generator.CopyOperation{op("@s/"+name, "@artifact/v.yaml", ""), op("@s/"+name, "@artifact/v.yaml", "Merge")}
		err := Copy(t.Context(), operations, map[string]string{"s": source}, t.TempDir())
		if err == nil || !strings.Contains(err.Error(), "no YAML map") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Copy(ctx, []generator.CopyOperation{op("@s/a", "@artifact/", "")}, map[string]string{"s": source}, t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestLinksAreLeftOut copies a folder that holds some.
func TestLinksAreLeftOut(t *testing.T) {
	source, dir := write(t, map[string]string{"d/a": "a"}), t.TempDir()
	if err := os.Symlink("/etc", filepath.Join(source, "d/etc")); err != nil {
		t.Fatal(err)
	}
	if err := Copy(t.Context(), []generator.CopyOperation{op("@s/d", "@artifact/", "")}, map[string]string{"s": source}, dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"d/a": "a"}, read(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func FuzzCopy(f *testing.F) {
	f.Add("@s/a", "@artifact/", "*.md", "Merge")
	f.Add("@s/../**", "@artifact/../x", "{a,b}", "Extract")
	f.Fuzz(func(t *testing.T, from, to, exclude, strategy string) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "artifact")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		source := write(t, map[string]string{"a": "a: 1", "b/c.tgz": "c"})
		_ = Copy(t.Context(), []generator.CopyOperation{op(from, to, strategy, exclude)}, map[string]string{"s": source}, dir)
		if entries, err := os.ReadDir(parent); err != nil || len(entries) != 1 {
			t.Errorf("it wrote beside its folder: %v, %v", entries, err)
		}
		if len(read(t, source)) != 2 {
			t.Error("the source was written to")
		}
	})
}
