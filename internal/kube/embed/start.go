package embed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// start starts all parts and returns once /readyz answers. After an error
// everything has stopped again.
func (c *cluster) start(ctx context.Context) error {
	// The parts outlive ctx: they are stopped in order, not all at once.
	life := context.WithoutCancel(ctx)
	starting, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("the API server was not ready after %s", readyTimeout))
	defer cancel()
	starting, c.cancelStart = context.WithCancelCause(starting)

	err := c.launch(starting, life)
	if err == nil {
		err = c.prepareForUse()
	}
	if err != nil {
		c.shutdown(err)
		return err
	}
	stopWatching := context.AfterFunc(ctx, func() { c.stop(nil) })
	go func() {
		c.watch()
		stopWatching()
	}()
	return nil
}

// launch starts etcd beside the API server, and the controllers beside the
// objects that every cluster has.
func (c *cluster) launch(starting, life context.Context) error {
	stored := make(chan error, 1)
	go func() { stored <- c.etcd.start(starting, c.state.file(etcdFolder), !c.state.temporary) }()

	apiLife, stopAPI := context.WithCancel(life)
	c.stopAPI = stopAPI
	controllersLife, stopControllers := context.WithCancel(life)
	c.stopControllers = stopControllers

	var err error
	if c.api, err = newAPIServer(apiLife, c.options, c.listener, c.etcd.endpoint(), c.keys); err != nil {
		c.listener.Close()
		close(c.apiEnd)
		close(c.controllersEnd)
		if failed := <-stored; failed != nil {
			return failed // the API server's error is a consequence
		}
		return err
	}
	c.setClientConfig()
	go c.serve(apiLife)
	go c.listener.follow(apiLife, c.options.Faults)
	if err := c.runControllers(controllersLife); err != nil {
		return errors.Join(err, <-stored)
	}
	if err := <-stored; err != nil {
		return err
	}
	return c.awaitReady(starting)
}

// serve runs the API server until it is stopped.
func (c *cluster) serve(ctx context.Context) {
	err := c.api.run(ctx)
	close(c.apiEnd)
	if ctx.Err() != nil {
		err = nil
	} else if err == nil {
		err = errors.New("the API server ended by itself")
	}
	if err != nil {
		c.fail(err)
	}
}

// setClientConfig derives what clients of this process connect with. The
// content type is left to them: custom resources do not speak protobuf.
func (c *cluster) setClientConfig() {
	config := rest.CopyConfig(c.api.loopback)
	config.ContentType, config.AcceptContentTypes = "", ""
	config.QPS = -1
	config.UserAgent = ""
	c.clientConfig = config
}

// runControllers starts scheduler and controllers; they wait for the API
// server by themselves.
func (c *cluster) runControllers(ctx context.Context) error {
	config := rest.CopyConfig(c.api.loopback)
	config.QPS = -1
	all, err := newControllers(ctx, config, c.keys)
	if err != nil {
		close(c.controllersEnd)
		return err
	}
	var running sync.WaitGroup
	running.Go(func() { all.run(ctx) })
	running.Go(func() {
		if err := runScheduler(ctx, config); err != nil {
			c.fail(err)
		}
	})
	go func() {
		running.Wait()
		close(c.controllersEnd)
	}()
	return nil
}

// awaitReady creates the objects that every cluster has, and returns once
// /readyz answers.
func (c *cluster) awaitReady(ctx context.Context) error {
	config := rest.CopyConfig(c.api.loopback)
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := bootstrap(ctx, client); err != nil {
		return cause(ctx, err)
	}
	if err := ready(ctx, client.Discovery().RESTClient()); err != nil {
		return cause(ctx, err)
	}
	c.readyAt = time.Now()
	return nil
}

// cause prefers the reason for which a context was cancelled over its effect.
func cause(ctx context.Context, err error) error {
	if reason := context.Cause(ctx); reason != nil {
		return reason
	}
	return err
}

// prepareForUse writes what lets others find the cluster.
func (c *cluster) prepareForUse() error {
	if err := c.state.rememberPort(c.listener.Addr().(*net.TCPAddr).Port); err != nil {
		return err
	}
	return writeKubeconfig(c.KubeconfigPath(), "https://"+c.listener.Addr().String(), c.keys)
}
