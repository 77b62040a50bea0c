package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// atHome gives the test a cache folder of its own.
func atHome(t *testing.T) (dir string) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", filepath.Join(t.TempDir(), "cache"))
	dir, err := upDir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// anUp returns the note of an up that this process plays.
func anUp(t *testing.T, cluster string, pid int) upInfo {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte("apiVersion: v1\nkind: Config\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return upInfo{PID: pid, Kubeconfig: kubeconfig, Cluster: cluster, Started: time.Unix(int64(pid), 0)}
}

func register(t *testing.T, info upInfo) func() {
	t.Helper()
	remove, err := registerUp(info)
	if err != nil {
		t.Fatal(err)
	}
	return remove
}

func TestFindUp(t *testing.T) {
	dir := atHome(t)
	expect := func(cluster, kubeconfig, problem string) {
		t.Helper()
		info, err := findUp(cluster)
		switch {
		case problem == "" && err != nil:
			t.Errorf("%q: %v", cluster, err)
		case problem == "" && info.Kubeconfig != kubeconfig:
			t.Errorf("%q: found %+v", cluster, info)
		case problem != "" && (err == nil || !strings.Contains(err.Error(), problem)):
			t.Errorf("%q: error %v, want one that says %q", cluster, err, problem)
		}
	}
	expect("", "", "no homelab is up")

	main := anUp(t, "main", os.Getpid())
	remove := register(t, main)
	expect("", main.Kubeconfig, "")
	expect("main", main.Kubeconfig, "")
	expect("staging", "", `no homelab of the name "staging" is up; running: main (process`)

	staging := anUp(t, "staging", os.Getppid())
	register(t, staging)
	expect("", "", "several homelabs are up")
	expect("staging", staging.Kubeconfig, "")

	cache := kubectlCache(filepath.Join(dir, "x.json"))
	if filepath.Dir(cache) != dir || strings.HasSuffix(cache, ".json") {
		t.Errorf("kubectl would cache in %s", cache)
	}
	remove()
	expect("", staging.Kubeconfig, "")
	if err := os.Remove(staging.Kubeconfig); err != nil {
		t.Fatal(err)
	}
	expect("", "", "no homelab is up")
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFindUpTellsTheSameClusterApart(t *testing.T) {
	atHome(t)
	register(t, anUp(t, "main", os.Getpid()))
	register(t, anUp(t, "main", os.Getppid()))
	if _, err := findUp("main"); err == nil || !strings.Contains(err.Error(), "--kubeconfig") {
		t.Errorf("error %v", err)
	}
}

func TestRegisterUpKeepsToTheUser(t *testing.T) {
	dir := atHome(t)
	register(t, anUp(t, "main", os.Getpid()))
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	info, err := entries[0].Info()
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the note has mode %v", info.Mode())
	}
}

func TestRunningUpsNamesABrokenNote(t *testing.T) {
	for name, content := range map[string]string{
		"no JSON":    "{",
		"no process": `{"kubeconfig":"x"}`,
		"too large":  strings.Repeat(" ", maxUpFile+1),
	} {
		dir := atHome(t)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "1.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := findUp(""); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzReadUp(f *testing.F) {
	f.Add([]byte(`{"pid":1,"kubeconfig":"/tmp/kubeconfig","cluster":"main","started":"2024-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"pid":-1}`))
	path := filepath.Join(f.TempDir(), "1.json")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := readUp(path)
		if err == nil && (info.PID <= 0 || info.Kubeconfig == "") {
			t.Errorf("accepted %q as %+v", content, info)
		}
	})
}
