package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hearth/internal/diff"
	"hearth/internal/render/kept"
	"hearth/internal/repo"
	"hearth/internal/source"
)

// diffFlags are those of the verbs that say what trees would bring.
type diffFlags struct {
	cluster string
	base    string
	fetch   bool
	noCache bool
	output  string
}

func (f *diffFlags) add(cmd *cobra.Command, base, baseMeans string, forms []string) {
	flags := cmd.Flags()
	flags.StringVar(&f.cluster, "cluster", "", "the cluster, where the repository holds several")
	flags.StringVar(&f.base, "base", base, baseMeans)
	flags.BoolVar(&f.fetch, "fetch", false, "fetch charts that are not at hand")
	flags.BoolVar(&f.noCache, "no-cache", false, "compute everything anew")
	flags.StringVarP(&f.output, "output", "o", forms[0], "the form of the output: "+strings.Join(forms, ", "))
}

// Bounds of what is kept on disk.
const (
	keptBuilds     = 20_000
	keptBuildBytes = 256 << 20
	keptSnapshots  = 32
	keptDiffBytes  = 256 << 20
)

// keptBuildStore keeps what Kustomizations build; nil where nothing is kept.
func keptBuildStore(no bool) *kept.Store {
	if no {
		return nil
	}
	return kept.In("builds", keptBuilds, keptBuildBytes)
}

func (f *diffFlags) request(path string) (diff.Request, error) {
	q := diff.Request{Path: path, Base: f.base, Cluster: f.cluster, Charts: chartsAtHand(f.fetch), Builds: keptBuildStore(f.noCache)}
	// What the network answers may differ each time.
	if !f.noCache && !f.fetch {
		q.Snapshots = kept.In("diff", keptSnapshots, keptDiffBytes)
		var err error
		if q.ChartsDir, err = source.AtHand(""); err != nil {
			return q, err
		}
	}
	return q, nil
}

func newDiffCommand(p Process) *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use:   "diff [PATH]",
		Short: "Say what a change would do to the cluster, before it is pushed",
		Long: `Compare what the tree would have a cluster hold with what a revision of Git
would: object by object and field by field, with the application that each
belongs to and the file and line that it comes from. No cluster is needed. What
an apply would refuse or destroy is told with it; values of Secrets are never
shown. Exit code 0: no difference; 1: differences; 2: misuse, or a repository or
revision that cannot be read.`,
		Args: atMostOnePath,
		RunE: func(cmd *cobra.Command, args []string) error { return f.diff(cmd.Context(), p, args) },
	}
	f.add(cmd, "HEAD", "the Git revision to compare the working tree with", diffForms)
	return cmd
}

var diffForms = []string{"text", "github", "json", "html", "unified"}

func (f *diffFlags) diff(ctx context.Context, p Process, args []string) error {
	if err := checkForm(f.output, diffForms...); err != nil {
		return err
	}
	collectHardly()
	q, err := f.request(folderOf(args))
	if err != nil {
		return err
	}
	before, after, err := q.Trees(ctx)
	if err != nil {
		return err
	}
	report, err := diff.Compare(before, after)
	if err == nil {
		err = f.print(p.Stdout, report)
	}
	if err != nil {
		return fmt.Errorf("compare with %s: %w", f.base, err)
	}
	if report.Differs() {
		return failed
	}
	return nil
}

func (f *diffFlags) print(w io.Writer, report *diff.Report) error {
	switch f.output {
	case "github":
		return diff.WriteGitHub(w, report)
	case "json":
		return diff.WriteJSON(w, report)
	case "html":
		return diff.WriteHTML(w, report)
	case "unified":
		return diff.WriteUnified(w, report)
	}
	return diff.WriteText(w, report, colours(w))
}

// folderOf is the folder that is named, or the current one.
func folderOf(args []string) string { return slices.Concat(args, []string{"."})[0] }

// chartsAtHand opens the charts for a repository, over the network where fetch
// is set.
func chartsAtHand(fetch bool) func(*repo.Repository) (*source.Charts, error) {
	return checkFlags{fetch: fetch}.charts
}
