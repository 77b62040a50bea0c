// Package embed runs a complete Kubernetes control plane inside the calling
// process: etcd, kube-apiserver, kube-scheduler and the controllers that make
// pods out of workloads. It is what a rehearsal is played on.
//
// It promises that everything listens on loopback only (etcd on a socket in a
// private folder), that Secrets are encrypted at rest, that nothing is logged
// unless asked for, and that Stop leaves no port, file or goroutine of its own
// behind. A state folder lets a later start go on where this one stopped.
//
// It brings no nodes: kubelets, disks and load balancers are played by others,
// which meet it at the API server. Namespaces are deleted without the stock
// controller's five seconds of grace. Feature gates, metrics and the log are
// shared by all control planes of one process.
package embed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"hearth/internal/kube"
)

// readyTimeout bounds how long a start may take before it is given up; a cold
// start on two slow cores takes a tenth of it.
const readyTimeout = 60 * time.Second

const (
	defaultServiceCIDR = "10.96.0.0/16"
	defaultPodCIDR     = "10.244.0.0/16"
)

// Starter starts control planes inside this process. Several may run at once.
type Starter struct{}

var _ kube.Starter = Starter{}

// Start implements [kube.Starter].
func (Starter) Start(ctx context.Context, o kube.Options) (kube.Cluster, error) {
	if err := complete(&o); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("starting Kubernetes: %w", context.Cause(ctx))
	}
	quieten(o.Log)

	folder, err := openState(o.StateDir, o.ServiceCIDR)
	if err != nil {
		return nil, err
	}
	o.ServiceCIDR = folder.record.ServiceCIDR

	c, err := newCluster(o, folder)
	if err == nil {
		err = c.start(ctx)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, errors.Join(fmt.Errorf("starting Kubernetes: %w", err), folder.abandon())
	}
	return c, nil
}

// complete fills in defaults and refuses what cannot work.
func complete(o *kube.Options) error {
	if o.PodCIDR == "" {
		o.PodCIDR = defaultPodCIDR
	}
	for _, cidr := range []struct{ name, value string }{{"service", o.ServiceCIDR}, {"pod", o.PodCIDR}} {
		if cidr.value == "" {
			continue
		}
		if _, err := netip.ParsePrefix(cidr.value); err != nil {
			return fmt.Errorf("the %s range %q is no CIDR: %w", cidr.name, cidr.value, err)
		}
	}
	if o.Address == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil {
		return fmt.Errorf("the API server's address %q is no host:port: %w", o.Address, err)
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return fmt.Errorf("the API server's address %q is not a loopback address such as 127.0.0.1", o.Address)
	}
	return nil
}
