package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
)

// stateLayout numbers the layout of a state folder; it changes when an older
// Hearth could no longer read what a newer one wrote.
const stateLayout = 1

const (
	recordFile = "hearth-state.json"
	lockFile   = "lock"
	keysFolder = "keys"
	etcdFolder = "etcd"
)

// stateRecord is what a state folder says about itself.
type stateRecord struct {
	Layout      int    `json:"layout"`
	Kubernetes  string `json:"kubernetes"`
	ServiceCIDR string `json:"serviceCIDR"`
	Port        int    `json:"port,omitempty"`
}

// state is an open, locked state folder, and a private folder for what lives
// only as long as the process: sockets and the serving certificate.
type state struct {
	path    string
	record  stateRecord
	runtime string

	lock      *fileutil.LockedFile
	temporary bool // removed on close
	fresh     bool // made by this start: removed again when the start fails
	made      bool // the folder itself did not exist before
}

// openState locks the state folder at path, or a temporary one where path is
// empty. serviceCIDR may be empty: then the folder's own holds, or the default.
func openState(path, serviceCIDR string) (*state, error) {
	runtime, err := makeRuntimeFolder()
	if err != nil {
		return nil, err
	}
	s := &state{path: path, runtime: runtime}
	if path == "" {
		s.path, s.temporary = filepath.Join(runtime, "state"), true
	}
	if err := s.open(serviceCIDR); err != nil {
		return nil, errors.Join(err, s.abandon())
	}
	return s, nil
}

func (s *state) open(serviceCIDR string) error {
	abs, err := filepath.Abs(s.path)
	if err != nil {
		return fmt.Errorf("locating the state folder %s: %w", s.path, err)
	}
	s.path = abs
	if _, err := os.Stat(s.path); errors.Is(err, os.ErrNotExist) {
		s.made = true
	}
	if err := os.MkdirAll(s.path, 0o700); err != nil {
		return fmt.Errorf("making the state folder %s: %w", s.path, err)
	}
	if err := s.refuseForeign(); err != nil {
		return err
	}
	if s.lock, err = fileutil.TryLockFile(s.file(lockFile), os.O_WRONLY|os.O_CREATE, 0o600); err != nil {
		if errors.Is(err, fileutil.ErrLocked) {
			return fmt.Errorf("the state folder %s is in use by another process: stop that one first, or choose another folder", s.path)
		}
		return fmt.Errorf("locking the state folder %s: %w", s.path, err)
	}
	raw, err := os.ReadFile(s.file(recordFile))
	s.fresh = errors.Is(err, os.ErrNotExist)
	if err != nil && !s.fresh {
		return fmt.Errorf("reading the state folder's record: %w", err)
	}
	if err := requireSpace(s.path); err != nil {
		return err
	}
	if s.fresh {
		return s.newRecord(serviceCIDR)
	}
	return s.readRecord(raw, serviceCIDR)
}

// refuseForeign keeps Hearth's hands off a folder that holds something else.
func (s *state) refuseForeign() error {
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return fmt.Errorf("reading the state folder %s: %w", s.path, err)
	}
	for _, entry := range entries {
		if entry.Name() == recordFile {
			return nil
		}
	}
	for _, entry := range entries {
		if entry.Name() != lockFile {
			return fmt.Errorf("%s is not a state folder of Hearth, and not empty (it holds %s): choose another folder", s.path, entry.Name())
		}
	}
	return nil
}

// newRecord writes what a new folder says about itself.
func (s *state) newRecord(serviceCIDR string) error {
	s.record = stateRecord{Layout: stateLayout, Kubernetes: Version, ServiceCIDR: serviceCIDR}
	if serviceCIDR == "" {
		s.record.ServiceCIDR = defaultServiceCIDR
	}
	return s.writeRecord()
}

// readRecord refuses a folder that this version cannot go on with.
func (s *state) readRecord(raw []byte, serviceCIDR string) error {
	if err := json.Unmarshal(raw, &s.record); err != nil {
		return fmt.Errorf("%s cannot be read (%w): remove the folder to start anew", s.file(recordFile), err)
	}
	if s.record.Layout != stateLayout || minor(s.record.Kubernetes) != minor(Version) {
		return fmt.Errorf("the state folder %s was written for Kubernetes %s (layout %d), and this Hearth runs %s (layout %d): remove the folder, or choose another one",
			s.path, s.record.Kubernetes, s.record.Layout, Version, stateLayout)
	}
	if serviceCIDR != "" && serviceCIDR != s.record.ServiceCIDR {
		return fmt.Errorf("the state folder %s was made with the service range %s, which cannot become %s later: choose another folder", s.path, s.record.ServiceCIDR, serviceCIDR)
	}
	return nil
}

func (s *state) writeRecord() error {
	raw, err := json.MarshalIndent(s.record, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(s.file(recordFile), append(raw, '\n')); err != nil {
		return fmt.Errorf("writing the state folder's record: %w", err)
	}
	return nil
}

// rememberPort keeps the API server's port for the next start.
func (s *state) rememberPort(port int) error {
	if s.record.Port == port {
		return nil
	}
	s.record.Port = port
	return s.writeRecord()
}

func (s *state) file(elem ...string) string {
	return filepath.Join(append([]string{s.path}, elem...)...)
}

func (s *state) runtimeFile(name string) string { return filepath.Join(s.runtime, name) }

// close unlocks the folder and removes what lived only as long as the process.
func (s *state) close() error {
	var errs []error
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
		s.lock = nil
	}
	errs = append(errs, os.RemoveAll(s.runtime))
	return errors.Join(errs...)
}

// abandon closes the folder after a failed start, and takes back whatever this
// start had put there.
func (s *state) abandon() error {
	var errs []error
	if !s.temporary && s.fresh {
		for _, name := range []string{recordFile, keysFolder, etcdFolder, kubeconfigFile, lockFile} {
			errs = append(errs, os.RemoveAll(s.file(name)))
		}
	}
	if !s.temporary && s.made && (s.fresh || s.lock == nil) {
		// Fails where somebody else has put something there meanwhile.
		_ = os.Remove(s.path)
	}
	return errors.Join(append(errs, s.close())...)
}

// writeFile replaces a file as a whole, readable by its owner only.
func writeFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// makeRuntimeFolder makes a private folder whose path is short enough for a
// Unix socket in it.
func makeRuntimeFolder() (string, error) {
	const longestSocketPath, longestName = 100, len("/hearth-0123456789/etcd.sock")
	parent := os.TempDir()
	if len(parent)+longestName > longestSocketPath {
		parent = "/tmp"
	}
	path, err := os.MkdirTemp(parent, "hearth-")
	if err != nil {
		return "", fmt.Errorf("making a temporary folder for the control plane: %w", err)
	}
	return path, nil
}
