package scaffold

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"hearth/internal/manifest"
	"hearth/internal/manifest/edit"
)

// finish makes the changed files and puts the plan in order.
func (b *builder) finish() (*Plan, error) {
	root, err := os.OpenRoot(b.state.Repository.Root)
	if err != nil {
		return nil, fmt.Errorf("opening the repository: %w", err)
	}
	defer root.Close()
	for file, edits := range b.edits {
		before, err := manifest.Read(root, file)
		if err != nil {
			return nil, err
		}
		after, err := edit.Apply(before, edits...)
		if err != nil {
			return nil, fmt.Errorf("adding the application to %s: %w", file, err)
		}
		b.plan.Changed = append(b.plan.Changed, File{Path: file, Before: before, After: after})
	}
	for _, list := range [][]File{b.plan.Created, b.plan.Changed} {
		slices.SortFunc(list, func(x, y File) int { return strings.Compare(x.Path, y.Path) })
	}
	return &b.plan, nil
}

// Write writes the plan below a repository's root: all of it, or nothing. No
// path leaves the root, by a symbolic link neither, and no file that has been
// made or changed since the plan was made is overwritten.
func (p *Plan) Write(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("opening the repository: %w", err)
	}
	defer root.Close()
	var undo []func() error
	for _, step := range []func(*os.Root) ([]func() error, error){p.writeCreated, p.writeChanged} {
		done, err := step(root)
		undo = append(undo, done...)
		if err == nil {
			continue
		}
		for _, back := range slices.Backward(undo) {
			err = errors.Join(err, back())
		}
		return err
	}
	return nil
}

func (p *Plan) writeCreated(root *os.Root) (undo []func() error, err error) {
	for _, f := range p.Created {
		made, err := makeFolders(root, path.Dir(f.Path))
		undo = append(undo, made...)
		if err != nil {
			return undo, fmt.Errorf("making the folder %s: %w", path.Dir(f.Path), err)
		}
		file, err := root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return undo, fmt.Errorf("writing %s: %w", f.Path, err)
		}
		undo = append(undo, func() error { return root.Remove(f.Path) })
		_, err = file.Write(f.After)
		if err := errors.Join(err, file.Close()); err != nil {
			return undo, fmt.Errorf("writing %s: %w", f.Path, err)
		}
	}
	return undo, nil
}

// makeFolders makes the folders that are missing on the way to one.
func makeFolders(root *os.Root, folder string) (undo []func() error, err error) {
	var missing []string
	for dir := folder; dir != "."; dir = path.Dir(dir) {
		if _, err := root.Stat(dir); err == nil {
			break
		}
		missing = append(missing, dir)
	}
	for _, dir := range slices.Backward(missing) {
		if err := root.Mkdir(dir, 0o755); err != nil {
			return undo, err
		}
		undo = append(undo, func() error { return root.Remove(dir) })
	}
	return undo, nil
}

func (p *Plan) writeChanged(root *os.Root) (undo []func() error, err error) {
	for _, f := range p.Changed {
		now, err := root.ReadFile(f.Path)
		if err == nil && string(now) != string(f.Before) {
			err = errors.New("the file has changed meanwhile")
		}
		if err == nil {
			undo = append(undo, func() error { return root.WriteFile(f.Path, f.Before, 0o644) })
			err = root.WriteFile(f.Path, f.After, 0o644)
		}
		if err != nil {
			return undo, fmt.Errorf("changing %s: %w", f.Path, err)
		}
	}
	return undo, nil
}

// Print writes the plan as text: new files as a whole, and of changed ones the
// lines that they get.
func (p *Plan) Print(w io.Writer) error {
	var text strings.Builder
	for _, f := range p.Created {
		fmt.Fprintf(&text, "# %s\n%s\n", f.Path, f.After)
	}
	for _, f := range p.Changed {
		fmt.Fprintf(&text, "# %s\n", f.Path)
		for _, line := range f.added() {
			fmt.Fprintf(&text, "+ %s\n", line)
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// added lists the lines that a file gets.
func (f File) added() []string {
	before, after := strings.Split(string(f.Before), "\n"), strings.Split(string(f.After), "\n")
	start := 0
	for start < len(before) && start < len(after) && before[start] == after[start] {
		start++
	}
	end := 0
	for end < len(before)-start && end < len(after)-start && before[len(before)-1-end] == after[len(after)-1-end] {
		end++
	}
	return after[start : len(after)-end]
}
