package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, dir string, o Options) *Journal {
	t.Helper()
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func write(t *testing.T, j *Journal, records ...int) {
	t.Helper()
	for _, n := range records {
		if err := j.Append(n); err != nil {
			t.Fatal(err)
		}
	}
}

func numbersIn(t testing.TB, dir string) (list []int, damaged int) {
	t.Helper()
	damaged, err := Read(dir, func(record json.RawMessage) error {
		var n int
		if err := json.Unmarshal(record, &n); err != nil {
			return err
		}
		list = append(list, n)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, damaged
}

func TestJournalGoesOnWhereItWas(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{})
	write(t, j, 1, 2)
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "another process writes it") {
		t.Errorf("opened twice: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(9); !errors.Is(err, os.ErrClosed) {
		t.Errorf("written after its end: %v", err)
	}
	write(t, open(t, dir, Options{}), 3)
	got, damaged := numbersIn(t, dir)
	if diff := cmp.Diff([]int{1, 2, 3}, got); diff != "" || damaged != 0 {
		t.Errorf("%d damaged, %s", damaged, diff)
	}
}

func TestJournalIsBounded(t *testing.T) {
	for name, o := range map[string]Options{
		"by records": {Files: 3, FileRecords: 2},
		"by bytes":   {Files: 3, FileBytes: 24},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := open(t, dir, o)
			for n := range 100 {
				write(t, j, n)
			}
			got, _ := numbersIn(t, dir)
			if diff := cmp.Diff([]int{94, 95, 96, 97, 98, 99}, got); diff != "" {
				t.Error(diff)
			}
			if numbers, err := files(dir); err != nil || len(numbers) != 3 {
				t.Errorf("files %v, %v", numbers, err)
			}
		})
	}
}

func TestJournalRefusesWhatIsTooLarge(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{})
	if err := j.Append(strings.Repeat("x", MaxRecord)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	write(t, j, 1)
	if got, damaged := numbersIn(t, dir); len(got) != 1 || damaged != 0 {
		t.Errorf("%v, %d damaged", got, damaged)
	}
}

// TestJournalIsCutAtAnyByte ends a journal at every byte that a killed process
// might have ended it at.
func TestJournalIsCutAtAnyByte(t *testing.T) {
	var whole []byte
	ends := []int{}
	for n := range 5 {
		whole = append(whole, encode([]byte(strconv.Itoa(n)))...)
		ends = append(ends, len(whole))
	}
	for cut := range len(whole) + 1 {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fileName(7)), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		write(t, j, 99)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		want := []int{}
		for n, end := range ends {
			if end <= cut {
				want = append(want, n)
			}
		}
		got, damaged := numbersIn(t, dir)
		if diff := cmp.Diff(append(want, 99), got); diff != "" || damaged != 0 {
			t.Errorf("cut at byte %d: %d damaged, %s", cut, damaged, diff)
		}
	}
}

func TestReadPassesOverWhatIsDamaged(t *testing.T) {
	dir := t.TempDir()
	content := append(encode([]byte("1")), "00000000 2\ngarbage\n\n"...)
	content = append(content, bytes.Repeat([]byte("y"), 3*MaxRecord)...)
	content = append(append(content, '\n'), encode([]byte("3"))...)
	if err := os.WriteFile(filepath.Join(dir, fileName(1)), content, 0o600); err != nil {
		t.Fatal(err)
	}
	got, damaged := numbersIn(t, dir)
	if diff := cmp.Diff([]int{1, 3}, got); diff != "" || damaged != 4 {
		t.Errorf("%d damaged, %s", damaged, diff)
	}
}

// TestJournalSurvivesAKill kills a process that writes, and holds that whatever
// it said to have written is there.
func TestJournalSurvivesAKill(t *testing.T) {
	if dir := os.Getenv("JOURNAL_OF_THE_KILLED"); dir != "" {
		j := open(t, dir, Options{Files: 1000, FileRecords: 10})
		for n := 0; ; n++ {
			write(t, j, n)
			fmt.Println("wrote", n)
		}
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestJournalSurvivesAKill$")
	cmd.Env = append(os.Environ(), "JOURNAL_OF_THE_KILLED="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last, scanner := -1, bufio.NewScanner(out)
	for scanner.Scan() {
		if text, ok := strings.CutPrefix(scanner.Text(), "wrote "); ok {
			if n, err := strconv.Atoi(text); err == nil {
				last = n
			}
		}
		if last == 200 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if last < 200 {
		t.Fatalf("it wrote up to %d only", last)
	}
	write(t, open(t, dir, Options{Files: 1000, FileRecords: 10}), -1)
	got, damaged := numbersIn(t, dir)
	if len(got) < last+2 || damaged != 0 {
		t.Fatalf("%d records, %d damaged; it had said to have written %d", len(got), damaged, last+1)
	}
	for i, n := range got[:len(got)-1] {
		if n != i {
			t.Fatalf("record %d is %d", i, n)
		}
	}
}

// FuzzRead holds that whatever a file holds, reading ends, tells only records
// whose checksums hold, and goes on with what is written after.
func FuzzRead(f *testing.F) {
	f.Add(append(encode([]byte(`{"a":1}`)), "0000"...))
	f.Add([]byte("00000000 \n\n e"))
	f.Add(encode([]byte("3")))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fileName(1)), content, 0o600); err != nil {
			t.Fatal(err)
		}
		collect := func() (list []string) {
			if _, err := Read(dir, func(record json.RawMessage) error {
				list = append(list, string(record))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return list
		}
		before := collect()
		for _, record := range before {
			if !bytes.Contains(content, encode([]byte(record))) {
				t.Fatalf("%q was not written", record)
			}
		}
		j, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		write(t, j, 7)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append(before, "7"), collect()); diff != "" {
			t.Fatal(diff)
		}
	})
}
