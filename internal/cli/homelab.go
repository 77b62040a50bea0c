package cli

import (
	"context"
	"errors"
	"fmt"

	"hearth/charts"
	"hearth/examples"
	"hearth/internal/render/desired"
	"hearth/internal/repo"
	"hearth/internal/source"
)

// desiredState computes what a cluster of the repository at a path should
// hold, from the tree alone and the charts at hand.
func desiredState(ctx context.Context, path, cluster string) (*desired.State, error) {
	r, err := repo.Open(ctx, path, repo.Options{})
	if err != nil {
		return nil, err
	}
	c, err := r.Cluster(cluster)
	if err != nil {
		return nil, err
	}
	return stateOf(ctx, r, c)
}

// stateOf computes what a cluster should hold, with the charts at hand.
func stateOf(ctx context.Context, r *repo.Repository, c *repo.Cluster) (*desired.State, error) {
	atHand, err := source.NewCharts(source.ChartOptions{
		Mapping: r.Config.Sources, Root: r.Root, Embedded: charts.FS, Offline: true, StandIn: true,
	})
	if err != nil {
		return nil, err
	}
	return desired.Build(ctx, r, c, desired.Options{Charts: atHand})
}

// onHomelab opens something of the homelab in the folder that is named, else
// in the current one, else of the example, and says so (showing, building).
// close must be called once it is no longer needed.
func onHomelab[T any](p Process, path, doing string, open func(path string) (T, error)) (opened T, close func(), err error) {
	named := path != ""
	if !named {
		path = "."
	}
	opened, err = open(path)
	var none *repo.NoClusterError
	if named || !errors.As(err, &none) {
		return opened, func() {}, err
	}
	dir, remove, err := examples.Unpack()
	if err != nil {
		return opened, func() {}, failure{exitFailed, err}
	}
	fmt.Fprintf(p.Stderr, "hearth: this folder holds no homelab; %s the example\n", doing)
	opened, err = open(dir)
	// What is left behind in the temporary folder harms nobody.
	return opened, func() { _ = remove() }, err
}
