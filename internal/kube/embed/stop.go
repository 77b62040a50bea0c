package embed

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How long each part may take to stop before the next one is stopped anyway.
const (
	controllersStop = 3 * time.Second
	apiServerStop   = 5 * time.Second
	storageStop     = 3 * time.Second
)

// watch stops everything once one part has failed.
func (c *cluster) watch() {
	select {
	case err := <-c.failed:
		c.stop(err)
	case <-c.done:
	}
}

// stop stops the cluster, for the reason given, unless that is under way.
func (c *cluster) stop(reason error) {
	c.stopOnce.Do(func() {
		go func() {
			c.shutdown(reason)
			c.stopErr = errors.Join(c.stopErr, c.state.close())
			close(c.done)
		}()
	})
}

// shutdown ends the parts in order: each depends on the next.
func (c *cluster) shutdown(reason error) {
	c.failure = reason
	c.stopControllers()
	errs := []error{await(c.controllersEnd, controllersStop, "the controllers")}
	c.stopAPI()
	errs = append(errs, await(c.apiEnd, apiServerStop, "the API server"))
	ctx, cancel := context.WithTimeout(context.Background(), storageStop)
	defer cancel()
	c.stopErr = errors.Join(append(errs, c.etcd.stop(ctx))...)
}

func await(end <-chan struct{}, limit time.Duration, what string) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-end:
		return nil
	case <-timer.C:
		return fmt.Errorf("%s did not stop within %s", what, limit)
	}
}

// Stop implements [kube.Cluster].
func (c *cluster) Stop(ctx context.Context) error {
	c.stop(nil)
	select {
	case <-c.done:
		return c.stopErr
	case <-ctx.Done():
		return fmt.Errorf("waiting for Kubernetes to stop: %w", context.Cause(ctx))
	}
}
