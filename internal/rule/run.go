package rule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"hearth/internal/graph"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/source"
)

// Options say what to judge, and by which rules.
type Options struct {
	// Rules are all there are.
	Rules []*Rule
	// Only names those to run; without any, all run that are on.
	Only []string
	// Cluster names the one to judge; without it all are.
	Cluster string
	// Charts opens the charts that are at hand for a repository; nil means none.
	Charts func(*repo.Repository) (*source.Charts, error)
}

// BrokenError says that a rule itself is at fault: it panicked.
type BrokenError struct {
	Rule  string
	Cause any
	Stack []byte
}

// Error names the rule.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("rule %s broke down, so that what it would have found is missing: %v", e.Rule, e.Cause)
}

// Run judges a repository. A report beside an error is what the rules found
// that did not break. Other errors tell of a rule or a cluster that does not
// exist, of the configuration, or of ctx.
func Run(ctx context.Context, r *repo.Repository, o Options) (*Report, error) {
	chosen, err := o.choose(r.Config)
	if err != nil {
		return nil, err
	}
	clusters, err := o.clusters(ctx, r)
	if err != nil {
		return nil, err
	}
	passes := make([]*Pass, len(chosen))
	broken := make([]error, len(chosen))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	config := r.Config.WithDefaults()
	for i, rule := range chosen {
		passes[i] = &Pass{Context: ctx, Rule: rule, Repository: r, Config: config, Clusters: clusters}
		group.Go(func() error {
			broken[i] = passes[i].run()
			return nil
		})
	}
	if err := errors.Join(group.Wait(), ctx.Err()); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(r.Root)
	if err != nil {
		return nil, fmt.Errorf("reading the repository %s: %w", r.Root, err)
	}
	defer root.Close()
	report := o.report(r, passes, openTexts(r, root))
	for _, c := range clusters {
		report.Clusters = append(report.Clusters, c.Name)
		for _, k := range c.State.Kustomizations {
			report.read = append(report.read, k.Read...)
		}
	}
	return report, errors.Join(broken...)
}

// clusters computes what the clusters to judge should hold.
func (o Options) clusters(ctx context.Context, r *repo.Repository) ([]*Cluster, error) {
	chosen := r.Clusters
	if o.Cluster != "" {
		c, err := r.Cluster(o.Cluster)
		if err != nil {
			return nil, err
		}
		chosen = []*repo.Cluster{c}
	}
	var charts *source.Charts
	if o.Charts != nil {
		var err error
		if charts, err = o.Charts(r); err != nil {
			return nil, err
		}
	}
	clusters := make([]*Cluster, len(chosen))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range chosen {
		group.Go(func() error {
			state, err := desired.Build(ctx, r, c, desired.Options{Charts: charts})
			if err != nil {
				return err
			}
			clusters[i] = &Cluster{Cluster: c, State: state, Graph: graph.Build(state)}
			return nil
		})
	}
	return clusters, group.Wait()
}

// run checks the rule of a pass. A rule that panics must not take the others
// with it.
func (p *Pass) run() (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &BrokenError{Rule: p.Rule.Name, Cause: cause, Stack: debug.Stack()}
		}
	}()
	if p.Rule.Check != nil {
		p.Rule.Check(p)
	}
	return nil
}

// report makes one report of what the passes found.
func (o Options) report(r *repo.Repository, passes []*Pass, text *texts) *Report {
	report := &Report{}
	var findings []Finding
	for _, p := range passes {
		report.Rules = append(report.Rules, p.Rule.Name)
		findings = append(findings, p.findings...)
		for _, n := range p.notes {
			report.note(p.Rule.Name, n)
		}
	}
	slices.SortFunc(report.Notes, func(a, b Note) int {
		return cmp.Or(strings.Compare(a.Rule, b.Rule), strings.Compare(a.Text, b.Text))
	})
	for i := range findings {
		text.locate(&findings[i])
	}
	slices.SortStableFunc(findings, compare)
	findings = o.yield(distinct(findings))
	findings = o.ignore(r, report, text, findings)
	j := judgement{config: r.Config}
	report.Findings = j.apply(findings)
	slices.SortStableFunc(report.Findings, compare)
	return report
}

// yield drops the findings of rules that leave it to others to tell of a place.
func (o Options) yield(findings []Finding) []Finding {
	type told struct {
		rule string
		file string
		line int
	}
	unless := map[string][]string{}
	for _, r := range o.Rules {
		unless[r.Name] = r.Unless
	}
	seen := map[told]bool{}
	for _, f := range findings {
		seen[told{f.Rule, f.Place.File, f.Place.Line}] = true
	}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		return f.Place.Known() && slices.ContainsFunc(unless[f.Rule], func(other string) bool {
			return seen[told{other, f.Place.File, f.Place.Line}]
		})
	})
}
