package journal

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A record is a line: the checksum of its JSON in eight hexadecimal digits, a
// space, and the JSON, which has no line breaks.
const (
	sumLength = 8
	prefix    = sumLength + 1
	suffix    = ".journal"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encode(content []byte) []byte {
	line := fmt.Appendf(nil, "%08x ", crc32.Checksum(content, castagnoli))
	return append(append(line, content...), '\n')
}

// decode returns the JSON of a line without its end; ok is false where the line
// is damaged.
func decode(line []byte) (content json.RawMessage, ok bool) {
	if len(line) <= prefix || len(line) > prefix+MaxRecord || line[sumLength] != ' ' {
		return nil, false
	}
	var sum [sumLength / 2]byte
	if _, err := hex.Decode(sum[:], line[:sumLength]); err != nil {
		return nil, false
	}
	content = line[prefix:]
	if string(fmt.Appendf(nil, "%08x", crc32.Checksum(content, castagnoli))) != string(line[:sumLength]) {
		return nil, false
	}
	return content, json.Valid(content)
}

// lines calls f for each whole line, with where it ends. What is longer than a
// record may be is one damaged line, of which nothing is kept.
func lines(r io.Reader, f func(line []byte, end int64) error) error {
	reader := bufio.NewReaderSize(r, 64<<10)
	var line []byte
	end, long := int64(0), false
	for {
		part, err := reader.ReadSlice('\n')
		end += int64(len(part))
		if len(line)+len(part) > prefix+MaxRecord+1 {
			long = true
		}
		if !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return nil // what has no end is torn
		case err != nil:
			return err
		}
		if long {
			line = line[:0]
		}
		if err := f(bytes.TrimSuffix(line, []byte("\n")), end); err != nil {
			return err
		}
		line, long = line[:0], false
	}
}

// measure returns where the last whole record of a file ends, and how many
// records it has.
func measure(r io.Reader) (whole int64, records int, err error) {
	err = lines(r, func(line []byte, end int64) error {
		if _, ok := decode(line); ok {
			whole = end
			records++
		}
		return nil
	})
	return whole, records, err
}

// Read calls each for every record of the journal in a folder, oldest first,
// and returns how many damaged ones it passed over. An error of each ends it. A
// folder without a journal has no records.
func Read(dir string, each func(record json.RawMessage) error) (damaged int, err error) {
	numbers, err := files(dir)
	if err != nil {
		return 0, fmt.Errorf("read the journal in %s: %w", dir, err)
	}
	for _, number := range numbers {
		f, err := os.Open(filepath.Join(dir, fileName(number)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was the oldest, and has gone meanwhile
		}
		if err != nil {
			return damaged, fmt.Errorf("read the journal: %w", err)
		}
		n, err := readFile(f, each)
		damaged += n
		f.Close()
		if err != nil {
			return damaged, fmt.Errorf("read the journal in %s: %w", dir, err)
		}
	}
	return damaged, nil
}

func readFile(r io.Reader, each func(json.RawMessage) error) (damaged int, err error) {
	err = lines(r, func(line []byte, _ int64) error {
		content, ok := decode(line)
		if !ok {
			damaged++
			return nil
		}
		return each(slices.Clone(content))
	})
	return damaged, err
}

func fileName(number uint64) string { return fmt.Sprintf("%016d%s", number, suffix) }

// files lists the numbers of a journal's files, in order.
func files(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	for _, e := range entries {
		text, ok := strings.CutSuffix(e.Name(), suffix)
		number, err := strconv.ParseUint(text, 10, 64)
		if ok && err == nil && e.Type().IsRegular() && e.Name() == fileName(number) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}
