package embed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"hearth/internal/kube"
)

// How long each part may take to stop before the next one is stopped anyway.
const (
	controllersStop = 3 * time.Second
	apiServerStop   = 5 * time.Second
	storageStop     = 3 * time.Second
)

// cluster is a control plane of this process.
type cluster struct {
	options  kube.Options
	state    *state
	keys     *keys
	listener net.Listener
	etcd     *storage
	api      *apiServer

	clientConfig *rest.Config
	readyAt      time.Time

	failed      chan error // at most one: why the cluster cannot go on
	cancelStart context.CancelCauseFunc

	stopControllers context.CancelFunc
	stopAPI         context.CancelFunc
	controllersEnd  chan struct{}
	apiEnd          chan struct{}

	stopOnce sync.Once
	done     chan struct{}
	failure  error // why it stopped, set before done is closed
	stopErr  error // what went wrong while stopping, set before done is closed
}

var _ kube.Cluster = (*cluster)(nil)

// newCluster takes the port and loads the keys.
func newCluster(o kube.Options, s *state) (*cluster, error) {
	serviceIP, err := firstAddress(o.ServiceCIDR)
	if err != nil {
		return nil, err
	}
	k, err := loadKeys(s, serviceIP)
	if err != nil {
		return nil, err
	}
	listener, err := listen(o.Address, s.record.Port)
	if err != nil {
		return nil, err
	}
	c := &cluster{
		options: o, state: s, keys: k, listener: listener,
		failed: make(chan error, 1), controllersEnd: make(chan struct{}), apiEnd: make(chan struct{}), done: make(chan struct{}),
	}
	c.etcd = newStorage(s, c.fail)
	return c, nil
}

// fail says that a part can no longer do its work.
func (c *cluster) fail(err error) {
	select {
	case c.failed <- err:
	default:
	}
	c.cancelStart(err)
}

// listen takes the requested port, or else last time's, or else any.
func listen(address string, lastPort int) (net.Listener, error) {
	if _, port, _ := net.SplitHostPort(address); port != "" && port != "0" {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return nil, fmt.Errorf("the API server cannot listen on %s: %w: stop what uses it, or choose another port", address, err)
		}
		return listener, nil
	}
	host := "127.0.0.1"
	if address != "" {
		host, _, _ = net.SplitHostPort(address)
	}
	if lastPort != 0 {
		if listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(lastPort))); err == nil {
			return listener, nil
		}
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, fmt.Errorf("the API server finds no free port on %s: %w", host, err)
	}
	return listener, nil
}

// firstAddress is the address the API server itself gets in a service range.
func firstAddress(cidr string) (net.IP, error) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil, fmt.Errorf("the service range %q is no CIDR: %w", cidr, err)
	}
	return prefix.Masked().Addr().Next().AsSlice(), nil
}

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
		// The API server's start hooks take a cancelled start for a crash.
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
	if c.api, err = newAPIServer(apiLife, c.options, c.listener, c.etcd.endpoint, c.keys); err != nil {
		c.listener.Close()
		close(c.apiEnd)
		close(c.controllersEnd)
		return errors.Join(err, <-stored)
	}
	c.setClientConfig()
	go c.serve(apiLife)
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

// Config implements [kube.Cluster].
func (c *cluster) Config() *rest.Config { return rest.CopyConfig(c.clientConfig) }

// Version implements [kube.Cluster].
func (c *cluster) Version() string { return Version }

// PodCIDR implements [kube.Cluster].
func (c *cluster) PodCIDR() string { return c.options.PodCIDR }

// KubeconfigPath implements [kube.Cluster].
func (c *cluster) KubeconfigPath() string { return c.state.file(kubeconfigFile) }

// ReadyAt implements [kube.Cluster].
func (c *cluster) ReadyAt() time.Time { return c.readyAt }

// Done implements [kube.Cluster].
func (c *cluster) Done() <-chan struct{} { return c.done }

// Err implements [kube.Cluster].
func (c *cluster) Err() error {
	select {
	case <-c.done:
		return c.failure
	default:
		return nil
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
