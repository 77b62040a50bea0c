// Package helmkube is how Helm's actions talk to a cluster here: Helm's own
// client for what is sent, and for everything around it one shared connection
// instead of one for each action. Discovery, REST mappings and capabilities are
// taken once and follow the cluster's kinds; readiness, hooks and deletion are
// watched in the shared cache, never polled. Only another cluster, which
// nothing caches, is looked at every other second while something is waited for.
//
// It keeps to Helm's interfaces and messages. Which action runs, and what its
// failure means, is left to helmrelease.
package helmkube

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/kube"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"hearth/internal/kube/objects"
)

// requestTimeout bounds each request, also while a webhook is slow to answer.
const requestTimeout = time.Minute

// FieldManager is who applies a release's objects, as with Flux.
const FieldManager = "helm-controller"

func init() { kube.ManagedFieldsManager = FieldManager }

// Connection is shared by all actions that run with the same identity. Its
// methods may be called concurrently.
type Connection struct {
	Clientset kubernetes.Interface
	Dynamic   dynamic.Interface

	config    *rest.Config
	http      *http.Client
	mapper    meta.RESTMapper
	objects   *objects.Objects // nil for another cluster
	discovery *discovery.DiscoveryClient
	direct    client.Client // past all caches

	mu      sync.Mutex
	clients map[schema.GroupVersion]resource.RESTClient

	capabilities capabilities
}

// Connect makes a connection; nothing is contacted yet. Mappings must be looked
// up again by the mapper when a kind is unknown to it.
func Connect(config *rest.Config, mapper meta.RESTMapper, o *objects.Objects) (*Connection, error) {
	config = rest.CopyConfig(config)
	config.Timeout = requestTimeout
	config.QPS = -1
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("connecting Helm to the cluster: %w", err)
	}
	c := &Connection{
		config:  config,
		http:    httpClient,
		mapper:  mapper,
		objects: o,
		clients: map[schema.GroupVersion]resource.RESTClient{},
	}
	typed := rest.CopyConfig(config)
	typed.ContentType, typed.AcceptContentTypes = "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf,application/json"
	if c.Clientset, err = kubernetes.NewForConfigAndClient(typed, httpClient); err != nil {
		return nil, fmt.Errorf("connecting Helm to the cluster: %w", err)
	}
	if c.Dynamic, err = dynamic.NewForConfigAndClient(config, httpClient); err != nil {
		return nil, fmt.Errorf("connecting Helm to the cluster: %w", err)
	}
	if c.direct, err = client.New(config, client.Options{HTTPClient: httpClient, Mapper: mapper}); err != nil {
		return nil, fmt.Errorf("connecting Helm to the cluster: %w", err)
	}
	if c.discovery, err = discovery.NewDiscoveryClientForConfigAndClient(config, httpClient); err != nil {
		return nil, fmt.Errorf("connecting Helm to the cluster: %w", err)
	}
	return c, nil
}

// ConnectRemote makes a connection to another cluster, of which nothing is
// cached.
func ConnectRemote(config *rest.Config) (*Connection, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("connecting Helm to the cluster: %w", err)
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, client)
	if err != nil {
		return nil, fmt.Errorf("connecting Helm to the cluster: %w", err)
	}
	return Connect(config, mapper, nil)
}

// Remote reports whether this is another cluster.
func (c *Connection) Remote() bool { return c.objects == nil }

// Objects reads and writes objects of any kind, past all caches.
func (c *Connection) Objects() client.Client { return c.direct }

// Namespaced reports whether objects of a kind are in namespaces.
func (c *Connection) Namespaced(gvk schema.GroupVersionKind) (bool, error) {
	mapping, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return false, err
	}
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace, nil
}

// As returns a connection with the rights of another user.
func (c *Connection) As(user string) (*Connection, error) {
	config := rest.CopyConfig(c.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user}
	return Connect(config, c.mapper, c.objects)
}

// clientFor returns the client for objects of one API version.
func (c *Connection) clientFor(gv schema.GroupVersion) (resource.RESTClient, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.clients[gv]; ok {
		return client, nil
	}
	config := rest.CopyConfig(c.config)
	config.ContentConfig = resource.UnstructuredPlusDefaultContentConfig()
	config.GroupVersion = &gv
	config.APIPath = "/apis"
	if gv.Group == "" {
		config.APIPath = "/api"
	}
	client, err := rest.RESTClientForConfigAndClient(config, c.http)
	if err != nil {
		return nil, fmt.Errorf("connecting Helm to %s: %w", gv, err)
	}
	c.clients[gv] = client
	return client, nil
}

// capabilities are kept until the cluster's kinds change, and for a moment
// after that, since discovery follows a new kind with a delay.
type capabilities struct {
	mu      sync.Mutex
	known   *common.Capabilities
	taken   time.Time
	changed time.Time
}

const discoveryDelay = 2 * time.Second

// remoteCapabilities is for how long those of another cluster hold, since
// nobody tells when its kinds change.
const remoteCapabilities = 30 * time.Second

// KindsChanged says that the cluster got or lost kinds.
func (c *Connection) KindsChanged() {
	c.capabilities.mu.Lock()
	defer c.capabilities.mu.Unlock()
	c.capabilities.changed = time.Now()
}

// Capabilities returns what charts may ask about the cluster. The caller must
// not change it.
func (c *Connection) Capabilities() (*common.Capabilities, error) {
	caps := &c.capabilities
	caps.mu.Lock()
	defer caps.mu.Unlock()
	if caps.known != nil && caps.taken.After(caps.changed.Add(discoveryDelay)) {
		return caps.known, nil
	}
	if caps.known != nil && caps.changed.IsZero() && (!c.Remote() || time.Since(caps.taken) < remoteCapabilities) {
		return caps.known, nil
	}
	taken := time.Now()
	version, err := c.discovery.ServerVersion()
	if err != nil {
		return nil, fmt.Errorf("could not get server version from Kubernetes: %w", err)
	}
	versions, err := action.GetVersionSet(c.discovery)
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, err
	}
	caps.known = &common.Capabilities{
		APIVersions: versions,
		KubeVersion: common.KubeVersion{Version: version.GitVersion, Major: version.Major, Minor: version.Minor},
		HelmVersion: common.DefaultCapabilities.HelmVersion,
	}
	caps.taken = taken
	return caps.known, nil
}

// Lookup answers a template's question about the cluster: one object, the list
// of a kind where name is empty, or an empty map where there is none.
func (c *Connection) Lookup(ctx context.Context, apiVersion, kind, namespace, name string) (map[string]any, error) {
	gvk := schema.FromAPIVersionAndKind(apiVersion, kind)
	mapping, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		return map[string]any{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking up %s: %w", kind, err)
	}
	var client dynamic.ResourceInterface = c.Dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace && namespace != "" {
		client = c.Dynamic.Resource(mapping.Resource).Namespace(namespace)
	}
	if name == "" {
		list, err := client.List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("looking up %s: %w", kind, err)
		}
		return list.UnstructuredContent(), nil
	}
	obj, err := client.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return map[string]any{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking up %s: %w", kind, err)
	}
	return obj.UnstructuredContent(), nil
}
