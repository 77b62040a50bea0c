package edit

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// WriteFile replaces the content of a regular file below root: at once, so that no
// reader sees half of it, and with the mode that it has. Symbolic links are
// refused: what they lead to would stay as it is.
func WriteFile(root *os.Root, file string, data []byte) error {
	info, err := root.Lstat(file)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("it is no regular file (%s); edit the file itself", info.Mode().Type())
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	temporary := path.Join(path.Dir(file), "."+path.Base(file)+"."+rand.Text())
	err = writeNew(root, temporary, data, info.Mode().Perm())
	if err == nil {
		err = root.Rename(temporary, file)
	}
	if err != nil {
		_ = root.Remove(temporary) // It may not have been made; the first error tells.
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return nil
}

// writeNew makes a file, and has it on disk before it returns.
func writeNew(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil { // The umask may have taken bits away.
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}
