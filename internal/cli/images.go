package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"hearth/internal/diff"
)

var imagesForms = []string{"text", "json"}

func newImagesCommand(p Process) *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use:   "images [PATH]",
		Short: "List the images that would run, and where each is set",
		Long: `List every image that the tree would have a cluster run: those of workloads, of
what charts render, and of custom objects, by application, with the object that
names it, its chart, and the file and line where it is set. Of a release whose
chart is not at hand it is those that its values name. With --base it is what
comes and goes. No cluster is needed. Exit code 0: fine; 2: misuse, or a
repository or revision that cannot be read.`,
		Args: atMostOnePath,
		RunE: func(cmd *cobra.Command, args []string) error { return f.images(cmd.Context(), p, args) },
	}
	f.add(cmd, "", "list what comes and goes since this Git revision", imagesForms)
	return cmd
}

func (f *diffFlags) images(ctx context.Context, p Process, args []string) error {
	if err := checkForm(f.output, imagesForms...); err != nil {
		return err
	}
	collectSeldom()
	path := ""
	if len(args) > 0 {
		path = args[0]
	}
	lists, done, err := onHomelab(p, path, "listing", func(path string) ([]diff.ImageList, error) { return f.lists(ctx, path) })
	defer done()
	if err != nil {
		return err
	}
	if err := f.printImages(p.Stdout, lists); err != nil {
		return failure{exitFailed, fmt.Errorf("write the images: %w", err)}
	}
	return nil
}

func (f *diffFlags) lists(ctx context.Context, path string) ([]diff.ImageList, error) {
	q, err := f.request(path)
	if err != nil {
		return nil, err
	}
	if f.base == "" {
		tree, err := q.Tree(ctx)
		if err != nil {
			return nil, err
		}
		return diff.Images(tree), nil
	}
	before, after, err := q.Trees(ctx)
	if err != nil {
		return nil, err
	}
	return diff.ImageChanges(before, after), nil
}

func (f *diffFlags) printImages(w io.Writer, lists []diff.ImageList) error {
	if f.output == "json" {
		return diff.WriteImagesJSON(w, lists)
	}
	return diff.WriteImages(w, lists, colours(w))
}
