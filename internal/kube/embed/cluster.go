package embed

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"hearth/internal/kube"
)

// cluster is a control plane of this process.
type cluster struct {
	options  kube.Options
	state    *state
	keys     *keys
	listener *door
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
		options: o, state: s, keys: k, listener: newDoor(listener),
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
