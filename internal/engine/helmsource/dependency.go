package helmsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/Masterminds/semver/v3"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/source"
)

// maxDependencies bounds how many charts one may depend on.
const maxDependencies = 100

// complete adds to a chart what it depends on and does not bring along.
func (a *attempt) complete(ctx context.Context, root string, c *chart.Chart) error {
	wanted := c.Metadata.Dependencies
	if c.Lock != nil {
		wanted = c.Lock.Dependencies
	}
	if len(wanted) > maxDependencies {
		return fmt.Errorf("the chart depends on more than %d others", maxDependencies)
	}
	for _, dependency := range wanted {
		name := dependency.Name
		if dependency.Alias != "" {
			name = dependency.Alias
		}
		if brings(c, name) {
			continue
		}
		kind, find := "remote", a.fetchDependency
		if isLocal(dependency) {
			kind, find = "local", func(_ context.Context, d *chart.Dependency) (*chart.Chart, error) { return a.localDependency(root, d) }
		}
		found, err := find(ctx, dependency)
		if err != nil {
			return fmt.Errorf("failed to add %s dependency '%s': %w", kind, name, err)
		}
		if dependency.Alias != "" {
			found.Metadata.Name = dependency.Alias
		}
		c.AddDependency(found)
	}
	return nil
}

func brings(c *chart.Chart, name string) bool {
	for _, dependency := range c.Dependencies() {
		if dependency.Name() == name {
			return true
		}
	}
	return false
}

const fileScheme = "file://"

func isLocal(d *chart.Dependency) bool {
	return d.Repository == "" || strings.HasPrefix(d.Repository, fileScheme)
}

// localDependency loads a chart that stands in the same artifact.
func (a *attempt) localDependency(root string, d *chart.Dependency) (*chart.Chart, error) {
	at := within(root, a.obj.Spec.Chart, "charts", d.Name)
	if d.Repository != "" {
		at = within(root, a.obj.Spec.Chart, strings.TrimPrefix(d.Repository, fileScheme))
	}
	if _, err := os.Stat(at); err != nil {
		return nil, fmt.Errorf("no chart found at '%s' (reference '%s')", strings.TrimPrefix(at, root), d.Repository)
	}
	constraint, err := semver.NewConstraint(d.Version)
	if err != nil {
		return nil, fmt.Errorf("invalid version/constraint format '%s': %w", d.Version, err)
	}
	loaded, err := loadBounded(at)
	if err != nil {
		return nil, fmt.Errorf("failed to load chart (reference '%s'): %w", d.Repository, err)
	}
	version, err := semver.NewVersion(loaded.Metadata.Version)
	if err != nil {
		return nil, err
	}
	if !constraint.Check(version) {
		return nil, fmt.Errorf("can't get a valid version for constraint '%s'", d.Version)
	}
	return loaded, nil
}

// fetchDependency fetches a chart from a repository, as a HelmRepository of the
// namespace with the same URL says, or as nobody.
func (a *attempt) fetchDependency(ctx context.Context, d *chart.Dependency) (*chart.Chart, error) {
	switch {
	case strings.HasPrefix(d.Repository, "@"), strings.HasPrefix(d.Repository, "alias:"):
		return nil, fmt.Errorf("invalid dependency repository URL: aliased repository dependency is not supported: %s", d.Repository)
	case !strings.Contains(d.Repository, "://") || d.Name == "":
		return nil, fmt.Errorf("invalid dependency repository URL: %s", d.Repository)
	}
	want, err := a.repositoryOf(ctx, d.Repository)
	if err != nil {
		return nil, err
	}
	found, err := a.fetch(ctx, chartOf(want, d.Name, d.Version))
	if err != nil {
		var cause interface{ Unwrap() error }
		if errors.As(err, &cause) {
			err = cause.Unwrap()
		}
		return nil, fmt.Errorf("failed to get chart '%s' version '%s' from '%s': %w", d.Name, d.Version, shown(d.Repository), err)
	}
	return loadBounded(found.Path)
}

// repositoryOf says how a repository of dependencies is reached.
func (a *attempt) repositoryOf(ctx context.Context, url string) (source.ChartRequest, error) {
	var known sourcev1.HelmRepositoryList
	if err := a.client.List(ctx, &known, client.InNamespace(a.obj.Namespace)); err != nil {
		return source.ChartRequest{}, fmt.Errorf("unable to retrieve HelmRepositoryList: %w", err)
	}
	for i := range known.Items {
		if strings.TrimRight(known.Items[i].Spec.URL, "/") == strings.TrimRight(url, "/") {
			return request(ctx, a.client, &known.Items[i])
		}
	}
	none := &sourcev1.HelmRepository{Spec: sourcev1.HelmRepositorySpec{URL: url}}
	return source.ChartRequest{URL: url, Timeout: none.GetTimeout()}, nil
}
