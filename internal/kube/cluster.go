// Package kube is the door to a Kubernetes to work against: one that runs
// inside this process (package embed starts it), or a real one that a
// kubeconfig names.
//
// Every other room takes a [Cluster] or the client configuration it hands
// out, and never learns which of the two it got. The package links client-go
// only; the control plane itself is linked by package embed alone.
package kube

import (
	"context"
	"io"
	"net"
	"net/url"
	"time"

	"k8s.io/client-go/rest"

	"hearth/internal/domain"
)

// Starter starts a Kubernetes to work against.
type Starter interface {
	// Start returns once /readyz answers, or with the reason why it never will;
	// nothing is left running or half-written after an error. The cluster stops
	// when ctx is cancelled, or by Stop.
	Start(ctx context.Context, o Options) (Cluster, error)
}

// Options says what kind of Kubernetes to start. The zero value is a temporary
// cluster on free loopback ports, gone without a trace once stopped.
type Options struct {
	// StateDir is where etcd's data, keys, certificates and the kubeconfig
	// live. A later start with the same folder goes on where this one stopped.
	// Empty means a temporary folder that Stop removes.
	StateDir string

	// Address is the loopback host:port the API server listens on. Empty or
	// port 0 means a free port on 127.0.0.1; with a StateDir, the port used
	// last time is preferred, so that kubeconfigs stay valid.
	Address string

	// OpenAPI publishes the API's schema, which kubectl and Helm validate
	// with. It costs about half a second and 100 MB.
	OpenAPI bool

	// ServiceCIDR is the range of Service cluster IPs (default 10.96.0.0/16).
	ServiceCIDR string

	// PodCIDR is the range that nodes are given pod addresses from (default
	// 10.244.0.0/16). The control plane does not route it; stand-in kubelets
	// read it from [Cluster.PodCIDR].
	PodCIDR string

	// ResolveService tells the API server where a Service named by an
	// admission webhook, a conversion webhook or an APIService can be reached.
	// An error makes that call fail, as an unreachable backend would. Nil means
	// the Service's own cluster IP. It is called concurrently.
	ResolveService func(namespace, name string, port int32) (*url.URL, error)

	// DialNode connects the API server to a node's kubelet, whose logs and
	// commands it hands on. Nil means the address that the node tells. It is
	// called concurrently.
	DialNode func(ctx context.Context, network, address string) (net.Conn, error)

	// Faults shuts the API server's door while an apiserver-down is on. Nil
	// means that it stays open.
	Faults *domain.Faults

	// Log receives the control plane's own log. Nil means silence.
	Log io.Writer
}

// Cluster is a Kubernetes that was started. Its methods may be called
// concurrently.
type Cluster interface {
	// Config returns a client configuration with administrator rights and no
	// client-side rate limit: a fresh copy with each call, free to be changed.
	Config() *rest.Config

	// Version is the server's version, such as "v1.37.2".
	Version() string

	// PodCIDR is the range pod addresses are taken from.
	PodCIDR() string

	// KubeconfigPath names a file (mode 0600) that any Kubernetes client can
	// use while the cluster runs.
	KubeconfigPath() string

	// ReadyAt is when /readyz first answered.
	ReadyAt() time.Time

	// Done is closed once the cluster has stopped, for whatever reason.
	Done() <-chan struct{}

	// Err says why the cluster stopped: nil before it has, and nil after Stop
	// or a cancelled context.
	Err() error

	// Stop ends controllers, API server and storage in that order and waits
	// until all have ended or ctx is done. It may be called more than once.
	Stop(ctx context.Context) error
}
