// Package private lets somebody edit a secret text in an editor without the
// text ever standing on a disk.
//
// An editor needs a file. It gets one in a folder that nobody else may enter
// (mode 0700) on a file system that lives in memory, so that what editors
// leave beside a file, such as swap and backup copies, is in memory as well;
// and editors that are known to keep such copies elsewhere are told not to.
// Afterwards the folder is removed, however the editing ended. Where there is
// no such file system the text has to stand on a disk for a while: that is
// said before, and the file overwritten after.
package private

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// maxText bounds what comes back from an editor, in bytes.
const maxText = 32 << 20

// Editor is a program to edit with, and what it talks to.
type Editor struct {
	// Command is the editor, with its arguments, as a shell reads it.
	Command        string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Warn is told, before the editor starts, of what is less private than it
	// should be.
	Warn func(string)
}

// Session is a text that is being edited. End must be called.
type Session struct {
	editor   Editor
	dir      string
	file     string
	inMemory bool
}

// Begin puts a text where an editor can reach it; name is what the file is called.
func Begin(editor Editor, name string, text []byte) (*Session, error) {
	s := &Session{editor: editor}
	parent := memoryFolder()
	if s.inMemory = parent != ""; !s.inMemory {
		parent = os.TempDir()
	}
	var err error
	if s.dir, err = os.MkdirTemp(parent, "hearth-vault-"); err != nil {
		return nil, fmt.Errorf("make a private folder to edit in: %w", err)
	}
	s.file = filepath.Join(s.dir, filepath.Base(name))
	if !s.inMemory {
		editor.Warn("this system has no file system in memory that can be found; while you edit, the text stands in " + s.file + " (mode 0600), which is overwritten and removed afterwards")
	}
	if err := os.WriteFile(s.file, text, 0o600); err != nil {
		s.End()
		return nil, fmt.Errorf("write the text to edit: %w", err)
	}
	return s, nil
}

// Edit runs the editor until it ends, and returns the text as it then is. It
// may be called again, to go on. While it runs, signals that would end the
// program are the editor's to answer, so that the text is removed in any case.
func (s *Session) Edit() ([]byte, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	arguments := append([]string{"-c", s.editor.Command + ` "$@"`, "editor"}, quiet(s.editor.Command)...)
	command := exec.Command("sh", append(arguments, s.file)...)
	command.Stdin, command.Stdout, command.Stderr = s.editor.Stdin, s.editor.Stdout, s.editor.Stderr
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start the editor %s: %w", s.editor.Command, err)
	}
	// A terminal sends Ctrl-C and hang-ups to the editor itself; whoever ends
	// this program alone means the editor as well.
	done := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			command.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may have ended already
		case <-done:
		}
	}()
	err := command.Wait()
	close(done)
	if err != nil {
		return nil, fmt.Errorf("the editor %s failed, and nothing was changed: %w", s.editor.Command, err)
	}
	return readBack(s.file)
}

func readBack(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read what was edited: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("read what was edited: it is no file any more")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read what was edited: %w", err)
	case len(text) > maxText:
		return nil, fmt.Errorf("what was edited is larger than %d MiB", maxText>>20)
	}
	return text, nil
}

// End removes the text, and all that the editor left beside it.
func (s *Session) End() error {
	var failed error
	if !s.inMemory {
		failed = filepath.WalkDir(s.dir, overwrite)
	}
	if err := errors.Join(failed, os.RemoveAll(s.dir)); err != nil {
		return fmt.Errorf("remove the text that was edited from %s: %w", s.dir, err)
	}
	return nil
}

func overwrite(path string, entry fs.DirEntry, err error) error {
	if err != nil || !entry.Type().IsRegular() {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = io.CopyN(f, zeros{}, info.Size())
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// zeros reads as nothing but zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// quiet returns arguments that keep an editor from writing copies elsewhere.
func quiet(command string) []string {
	program := ""
	if words := strings.Fields(command); len(words) > 0 {
		program = filepath.Base(words[0])
	}
	switch {
	case slices.Contains([]string{"vim", "nvim", "gvim", "vimx"}, program):
		return []string{"-n", "-i", "NONE", "-c", "set nobackup nowritebackup noundofile"}
	case strings.HasPrefix(program, "emacs"):
		if program == "emacsclient" {
			return nil // the server it talks to was started long before
		}
		return []string{"--eval", "(setq make-backup-files nil auto-save-default nil auto-save-list-file-prefix nil create-lockfiles nil)"}
	}
	return nil
}
