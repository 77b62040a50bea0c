package embed

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apiserver/pkg/server/egressselector"
	"k8s.io/client-go/rest"
	aggregator "k8s.io/kube-aggregator/pkg/apiserver"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	rbacrest "k8s.io/kubernetes/pkg/registry/rbac/rest"
	schedulingrest "k8s.io/kubernetes/pkg/registry/scheduling/rest"

	"hearth/internal/kube"
)

// drainTimeout bounds how long the API server waits for open connections when
// it stops; watches of clients that are still there would hold it for a minute.
const drainTimeout = time.Second

// apiServer is a kube-apiserver, with CRDs and aggregation.
type apiServer struct {
	loopback *rest.Config
	chain    *aggregator.APIAggregator
}

// newAPIServer builds the API server; nothing is served before run. etcd may
// still be starting.
func newAPIServer(ctx context.Context, o kube.Options, listener net.Listener, etcd string, k *keys) (*apiServer, error) {
	run, err := serverOptions(o, listener, etcd, k)
	if err != nil {
		return nil, err
	}
	completed, err := run.Complete(ctx)
	if err != nil {
		return nil, fmt.Errorf("completing the API server's options: %w", err)
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("the API server's options: %w", utilerrors.NewAggregate(errs))
	}
	config, err := newConfig(completed, o.ResolveService, listener)
	if err != nil {
		return nil, fmt.Errorf("configuring the API server: %w", err)
	}
	adjust(config, o)
	ready, err := config.Complete()
	if err != nil {
		return nil, fmt.Errorf("configuring the API server: %w", err)
	}
	chain, err := app.CreateServerChain(ready)
	if err != nil {
		return nil, fmt.Errorf("building the API server: %w", err)
	}
	chain.GenericAPIServer.ShutdownTimeout = drainTimeout
	return &apiServer{loopback: config.KubeAPIs.ControlPlane.Generic.LoopbackClientConfig, chain: chain}, nil
}

// serverOptions says what a user would say by flags.
func serverOptions(o kube.Options, listener net.Listener, etcd string, k *keys) (*options.ServerRunOptions, error) {
	run := options.NewServerRunOptions()
	globals, err := componentGlobals()
	if err != nil {
		return nil, fmt.Errorf("setting the version: %w", err)
	}
	address := listener.Addr().(*net.TCPAddr)
	run.GenericServerRunOptions.ComponentGlobalsRegistry = globals
	run.GenericServerRunOptions.AdvertiseAddress = address.IP
	run.SecureServing.Listener = listener
	run.SecureServing.BindAddress, run.SecureServing.BindPort = address.IP, address.Port
	run.SecureServing.ServerCert.CertKey.CertFile = k.servingCert
	run.SecureServing.ServerCert.CertKey.KeyFile = k.servingKey

	run.Etcd.StorageConfig.Transport.ServerList = []string{etcd}
	run.Etcd.EncryptionProviderConfigFilepath = k.file(encryptionFile)

	run.ServiceClusterIPRanges = o.ServiceCIDR
	run.EndpointReconcilerType = "none"
	run.AllowPrivileged = true

	run.Authorization.Modes = []string{"RBAC"}
	run.Authentication.ClientCert.ClientCA = k.file(caCertFile)
	run.Authentication.ServiceAccounts.Issuers = []string{"https://kubernetes.default.svc.cluster.local"}
	run.Authentication.ServiceAccounts.KeyFiles = []string{k.file(serviceAccountFile)}
	run.ServiceAccountSigningKeyFile = k.file(serviceAccountFile)

	proxy := run.Authentication.RequestHeader
	proxy.ClientCAFile = k.file(frontProxyCertFile)
	proxy.AllowedNames = []string{frontProxyName}
	proxy.UsernameHeaders = []string{"X-Remote-User"}
	proxy.UIDHeaders = []string{"X-Remote-Uid"}
	proxy.GroupHeaders = []string{"X-Remote-Group"}
	proxy.ExtraHeaderPrefixes = []string{"X-Remote-Extra-"}
	run.ProxyClientCertFile, run.ProxyClientKeyFile = k.proxyClientCert, k.proxyClientKey
	return run, nil
}

// adjust sets what no flag can.
func adjust(config *app.Config, o kube.Options) {
	generic := config.KubeAPIs.ControlPlane.Generic
	// Both hooks wait a second before their first try; see bootstrap.
	for _, hook := range []string{rbacrest.PostStartHookName, schedulingrest.PostStartHookName} {
		generic.DisabledPostStartHooks.Insert(hook)
	}
	if o.DialNode != nil {
		config.KubeAPIs.Extra.KubeletClientConfig.Lookup = func(egressselector.NetworkContext) (utilnet.DialFunc, error) {
			return o.DialNode, nil
		}
	}
	if !o.OpenAPI {
		generic.SkipOpenAPIInstallation = true
		config.ApiExtensions.GenericConfig.SkipOpenAPIInstallation = true
		config.Aggregator.GenericConfig.SkipOpenAPIInstallation = true
	}
}

// resolverMu guards the one global through which kube-apiserver lets its
// service resolver be set from outside.
var resolverMu sync.Mutex

// newConfig builds the configuration with a service resolver that answers for
// admission webhooks, conversion webhooks and aggregated APIs alike.
func newConfig(o options.CompletedOptions, resolve func(namespace, name string, port int32) (*url.URL, error), listener net.Listener) (*app.Config, error) {
	resolverMu.Lock()
	defer resolverMu.Unlock()
	if resolve != nil {
		self := &url.URL{Scheme: "https", Host: listener.Addr().String()}
		restore := app.SetServiceResolverForTests(aggregator.NewLoopbackServiceResolver(resolver(resolve), self))
		defer restore()
	}
	return app.NewConfig(o)
}

// resolver adapts a function to the API server's ServiceResolver.
type resolver func(namespace, name string, port int32) (*url.URL, error)

func (r resolver) ResolveEndpoint(namespace, name string, port int32) (*url.URL, error) {
	return r(namespace, name, port)
}

// run serves until ctx is cancelled, and returns once everything has ended.
func (a *apiServer) run(ctx context.Context) error {
	prepared, err := a.chain.PrepareRun()
	if err != nil {
		return fmt.Errorf("preparing the API server: %w", err)
	}
	return prepared.Run(ctx)
}
