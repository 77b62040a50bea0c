// Package journal keeps what happened on disk: a folder of numbered files, each
// of lines that carry their own checksum. It is bounded in bytes, in records
// and in files; the oldest file goes first. A process that is killed at any
// byte loses at most the record that it was writing: whoever opens the journal
// next cuts off what is torn, and whoever reads it passes over what is damaged.
//
// One process writes a journal at a time; any number may read it meanwhile.
// What is written reaches the operating system at once, and the disk when that
// sees fit or a file is full: a machine that loses power may lose the newest
// records, and never more than those.
package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Options bound a journal. Zero fields mean the defaults.
type Options struct {
	// Files is how many files are kept (16).
	Files int
	// FileBytes is how large one grows (4 MiB).
	FileBytes int64
	// FileRecords is how many records one takes (20,000).
	FileRecords int
}

const (
	defaultFiles   = 16
	defaultBytes   = 4 << 20
	defaultRecords = 20_000
	// MaxRecord bounds the JSON of one record, in bytes.
	MaxRecord = 256 << 10
)

// ErrTooLarge says that a record is larger than MaxRecord; it is not written.
var ErrTooLarge = errors.New("larger than a record of the journal may be")

// Journal is open for writing. Its methods may be called concurrently.
type Journal struct {
	dir     string
	options Options
	lock    *os.File

	mu      sync.Mutex
	file    *os.File
	number  uint64
	size    int64
	records int
}

// Open opens the journal in a folder for writing, and makes the folder where
// there is none. What a killed process left torn is cut off. It fails where
// another process writes the journal.
func Open(dir string, o Options) (*Journal, error) {
	if o.Files <= 0 {
		o.Files = defaultFiles
	}
	if o.FileBytes <= 0 {
		o.FileBytes = defaultBytes
	}
	if o.FileRecords <= 0 {
		o.FileRecords = defaultRecords
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	if !tryLock(lock) {
		lock.Close()
		return nil, fmt.Errorf("open the journal in %s: another process writes it: give each its own folder", dir)
	}
	j := &Journal{dir: dir, options: o, lock: lock}
	if err := j.resume(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("open the journal in %s: %w", dir, err)
	}
	return j, nil
}

// resume goes on with the newest file.
func (j *Journal) resume() error {
	numbers, err := files(j.dir)
	if err != nil {
		return err
	}
	if len(numbers) == 0 {
		return j.begin(1)
	}
	j.number = numbers[len(numbers)-1]
	path := filepath.Join(j.dir, fileName(j.number))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	whole, records, err := measure(f)
	if err == nil {
		err = f.Truncate(whole)
	}
	if err != nil {
		f.Close()
		return err
	}
	j.file, j.size, j.records = f, whole, records
	return j.prune()
}

// begin starts a file.
func (j *Journal) begin(number uint64) error {
	f, err := os.OpenFile(filepath.Join(j.dir, fileName(number)), os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	j.file, j.number, j.size, j.records = f, number, 0, 0
	return j.prune()
}

// prune removes the oldest files that are too many.
func (j *Journal) prune() error {
	numbers, err := files(j.dir)
	if err != nil {
		return err
	}
	for len(numbers) > j.options.Files {
		if err := os.Remove(filepath.Join(j.dir, fileName(numbers[0]))); err != nil {
			return err
		}
		numbers = numbers[1:]
	}
	return nil
}

// Append writes one record. An error leaves the journal as it was.
func (j *Journal) Append(record any) error {
	content, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("write to the journal: %w", err)
	}
	if len(content) > MaxRecord {
		return fmt.Errorf("write to the journal: %w", ErrTooLarge)
	}
	line := encode(content)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return fmt.Errorf("write to the journal: %w", os.ErrClosed)
	}
	if full := j.size+int64(len(line)) > j.options.FileBytes || j.records >= j.options.FileRecords; full && j.records > 0 {
		if err := j.rotate(); err != nil {
			return fmt.Errorf("go on with a new file of the journal: %w", err)
		}
	}
	if _, err := j.file.Write(line); err != nil {
		// What was written of it would stand between this record and the next.
		return fmt.Errorf("write to the journal: %w", errors.Join(err, j.file.Truncate(j.size)))
	}
	j.size += int64(len(line))
	j.records++
	return nil
}

func (j *Journal) rotate() error {
	old := j.file
	if err := j.begin(j.number + 1); err != nil {
		return err
	}
	return errors.Join(old.Sync(), old.Close())
}

// Close ends the writing.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := errors.Join(j.file.Sync(), j.file.Close(), j.lock.Close())
	j.file = nil
	return err
}
