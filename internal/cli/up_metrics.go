package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"hearth/internal/kube/gitops"
	"hearth/internal/observe"
)

// observeUp serves the metrics of a cluster at an address until stop is called,
// which tells what went wrong meanwhile. Without an address it does nothing.
func observeUp(ctx context.Context, config *rest.Config, address string, told io.Writer) (stop func() error, err error) {
	if address == "" {
		return func() error { return nil }, nil
	}
	c, err := gitops.Open(config)
	if err != nil {
		return nil, err
	}
	stream, err := observe.NewStream(config, c, "")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	if err := serveMetrics(ctx, group, address, stream.Watcher(), told); err != nil {
		cancel()
		return nil, err
	}
	group.Go(func() error { return stream.Run(ctx, func(observe.Happening) {}) })
	return func() error {
		cancel()
		if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("observe the homelab for its metrics: %w", err)
		}
		return nil
	}, nil
}
