package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// upInfo is what a running `up` leaves for other verbs to find it by: a small
// file in the user's cache folder, named after its process.
type upInfo struct {
	PID        int       `json:"pid"`
	Kubeconfig string    `json:"kubeconfig"`
	Cluster    string    `json:"cluster"`
	Started    time.Time `json:"started"`
	// Repository is the working tree's root.
	Repository string `json:"repository,omitempty"`
	// DNS is where names are answered that External-DNS keeps.
	DNS string `json:"dns,omitempty"`

	path string // of the note
}

const (
	maxUps    = 1000    // files that are looked at
	maxUpFile = 1 << 16 // bytes of one
)

// upDir is where the files lie.
func upDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the folder in which a running up is noted: %w: set XDG_CACHE_HOME or HOME", err)
	}
	return filepath.Join(cache, "hearth", "up"), nil
}

// registerUp notes that an up runs, until remove is called. The file only
// names a kubeconfig, whose own mode protects the credentials.
func registerUp(info upInfo) (remove func(), err error) {
	dir, err := upDir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("note the running up: %w", err)
	}
	if info.Kubeconfig, err = filepath.Abs(info.Kubeconfig); err != nil {
		return nil, fmt.Errorf("note the running up: %w", err)
	}
	content, err := json.Marshal(info)
	if err != nil {
		return nil, fmt.Errorf("note the running up: %w", err)
	}
	path := filepath.Join(dir, fmt.Sprintf("%d.json", info.PID))
	if err := writeAtOnce(path, content); err != nil {
		return nil, fmt.Errorf("note the running up: %w", err)
	}
	return func() { forgetUp(path) }, nil
}

// forgetUp removes the note of an up, and what kubectl learnt about it.
func forgetUp(path string) {
	os.Remove(path)
	os.RemoveAll(kubectlCache(path))
}

// kubectlCache is where kubectl keeps what an up's API serves: apart for each,
// since the next one on the same port is another one.
func kubectlCache(path string) string { return strings.TrimSuffix(path, ".json") + ".kubectl" }

// writeAtOnce writes a file that readers see whole or not at all.
func writeAtOnce(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// findUp returns the up that runs, of the named cluster where there are
// several.
func findUp(cluster string) (*upInfo, error) {
	running, err := runningUps()
	if err != nil {
		return nil, err
	}
	var found []upInfo
	for _, info := range running {
		if cluster == "" || info.Cluster == cluster {
			found = append(found, info)
		}
	}
	switch {
	case len(found) == 1:
		return &found[0], nil
	case len(running) == 0:
		return nil, errors.New("no homelab is up: start one with `hearth up`, or name a cluster with --kubeconfig or --context")
	case len(found) == 0:
		return nil, fmt.Errorf("no homelab of the name %q is up; running: %s", cluster, listUps(running))
	case cluster == "":
		return nil, fmt.Errorf("several homelabs are up: %s; name one with --cluster", listUps(found))
	}
	return nil, fmt.Errorf("several homelabs of the name %q are up: %s; name the kubeconfig of one with --kubeconfig", cluster, listUps(found))
}

func listUps(ups []upInfo) string {
	var list []string
	for _, info := range ups {
		list = append(list, fmt.Sprintf("%s (process %d, %s)", info.Cluster, info.PID, info.Kubeconfig))
	}
	return strings.Join(list, ", ")
}

// runningUps reads the notes, oldest first, and removes those of processes
// that have ended without doing so.
func runningUps() ([]upInfo, error) {
	dir, err := upDir()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for a running up: %w", err)
	}
	var ups []upInfo
	for _, entry := range entries[:min(len(entries), maxUps)] {
		if filepath.Ext(entry.Name()) != ".json" {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		info, err := readUp(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // ended a moment ago
		case err != nil:
			return nil, fmt.Errorf("look for a running up: %w: remove %s if none is running", err, path)
		case alive(info):
			info.path = path
			ups = append(ups, info)
		default:
			forgetUp(path)
		}
	}
	slices.SortFunc(ups, func(a, b upInfo) int { return a.Started.Compare(b.Started) })
	return ups, nil
}

func readUp(path string) (info upInfo, err error) {
	stat, err := os.Stat(path)
	if err != nil {
		return info, err
	}
	if stat.Size() > maxUpFile {
		return info, fmt.Errorf("%s is too large to be the note of an up", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return info, err
	}
	if err := json.Unmarshal(content, &info); err != nil {
		return info, fmt.Errorf("read %s: %w", path, err)
	}
	if info.PID <= 0 || info.Kubeconfig == "" {
		return info, fmt.Errorf("%s names no process and kubeconfig", path)
	}
	return info, nil
}

// alive reports whether an up still runs: its process exists and its
// kubeconfig is there, which is gone when another process has got its number.
func alive(info upInfo) bool {
	if _, err := os.Stat(info.Kubeconfig); err != nil {
		return false
	}
	process, err := os.FindProcess(info.PID)
	if err != nil {
		return false
	}
	defer process.Release()
	err = process.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}
