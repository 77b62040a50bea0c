package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hearth/charts"
	"hearth/examples"
	"hearth/internal/repo"
	"hearth/internal/rule"
	"hearth/internal/rule/report"
	"hearth/internal/rule/rules"
	"hearth/internal/source"
)

// checkFlags are those of check.
type checkFlags struct {
	cluster string
	only    []string
	since   string
	fix     bool
	fetch   bool
	output  string
	noCache bool
	explain string
}

func newCheckCommand(p Process) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check [PATH]",
		Short: "Hold a homelab to the rules of its domain model, before anything runs",
		Long: `Hold the repository of a homelab to the rules of its domain model: what Flux
would apply is computed from the tree alone, and each finding names the file
and the line that it comes from. Without PATH it is the current folder, or the
example homelab where that holds none. Exit code 0: no errors; 1: findings of
severity error; 2: misuse, or a repository that cannot be read.`,
		Args: atMostOnePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.explain != "" {
				return explain(p.Stdout, f.explain)
			}
			return f.run(cmd.Context(), p, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.cluster, "cluster", "", "check one cluster only")
	flags.StringArrayVar(&f.only, "rule", nil, "run this rule only (repeatable)")
	flags.StringVar(&f.since, "since", "", "report only what came after this Git revision")
	flags.BoolVar(&f.fix, "fix", false, "put right what can be put right safely, and report the rest")
	flags.BoolVar(&f.fetch, "fetch", false, "fetch charts that are not at hand")
	flags.StringVarP(&f.output, "output", "o", report.Forms[0], "the form of the report: "+strings.Join(report.Forms, ", "))
	flags.BoolVar(&f.noCache, "no-cache", false, "judge the tree anew, even if nothing has changed")
	flags.StringVar(&f.explain, "explain", "", "say what a rule enforces, why, and how to put right what it finds")
	return cmd
}

func (f checkFlags) run(ctx context.Context, p Process, args []string) error {
	print, ok := report.In(f.output)
	if !ok {
		return fmt.Errorf("-o %q is none of %s", f.output, strings.Join(report.Forms, ", "))
	}
	collectSeldom()
	request := f.request()
	found, err := f.check(ctx, p.Stderr, &request, args)
	if found == nil {
		return err
	}
	options := report.Options{Colour: colours(p.Stdout), Rules: request.Rules, Prefix: gitPrefix(request.Path), Version: version()}
	if printErr := print(p.Stdout, found, options); printErr != nil {
		return failure{exitFailed, errors.Join(err, fmt.Errorf("write the report: %w", printErr))}
	}
	if f.output == "json" || f.output == "junit" {
		for _, n := range found.Notes {
			fmt.Fprintf(p.Stderr, "hearth: not judged: %s %s\n", n.Rule, printable(n.Text))
		}
	}
	if err == nil && found.Count(rule.Error) > 0 {
		return failed
	}
	return err
}

func (f checkFlags) request() rule.Request {
	request := rule.Request{
		Options: rule.Options{Rules: rules.All(), Only: f.only, Cluster: f.cluster, Charts: f.charts},
		Since:   f.since,
		Fix:     f.fix,
	}
	// What the network answers may differ each time.
	dir, err := os.UserCacheDir()
	if err != nil || f.noCache || f.fetch {
		return request
	}
	if charts, err := source.AtHand(""); err == nil {
		request.Cache = &rule.Cache{Dir: filepath.Join(dir, "hearth", "check"), Charts: charts}
	}
	return request
}

// charts opens the charts that are at hand for a repository.
func (f checkFlags) charts(r *repo.Repository) (*source.Charts, error) {
	return source.NewCharts(source.ChartOptions{
		Mapping:  r.Config.Sources,
		Root:     r.Root,
		Embedded: charts.FS,
		Offline:  !f.fetch,
		StandIn:  true,
	})
}

// check checks the folder that is named, else the current one, else the example.
func (f checkFlags) check(ctx context.Context, stderr io.Writer, request *rule.Request, args []string) (*rule.Report, error) {
	request.Path = "."
	if len(args) > 0 {
		request.Path = args[0]
	}
	found, err := rule.Check(ctx, *request)
	var none *repo.NoClusterError
	if len(args) > 0 || !errors.As(err, &none) {
		return found, err
	}
	dir, remove, err := examples.Unpack()
	if err != nil {
		return nil, failure{exitFailed, err}
	}
	fmt.Fprintln(stderr, "hearth: this folder holds no homelab; checking the example")
	request.Path = dir
	found, err = rule.Check(ctx, *request)
	if removeErr := remove(); err == nil && removeErr != nil {
		err = failure{exitFailed, removeErr}
	}
	return found, err
}

// gitPrefix returns the path from the root of the Git repository that a folder
// belongs to, to the root of its homelab.
func gitPrefix(path string) string {
	root, err := repo.RootOf(path)
	if err != nil {
		return ""
	}
	for dir := root; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			prefix, err := filepath.Rel(dir, root)
			if err != nil || prefix == "." {
				return ""
			}
			return filepath.ToSlash(prefix)
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}
