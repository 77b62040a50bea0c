package gateway

import (
	"context"
	"crypto/tls"
	"slices"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"hearth/internal/kube/routing"
	"hearth/internal/standin/gateway/echo"
	"hearth/internal/standin/gateway/proxy"
)

// backends are the Services' ports that routes lead to, with the endpoints that
// are ready. Methods may be called concurrently.
type backends struct {
	mu       sync.Mutex
	services map[client.ObjectKey]map[int32]*backend
}

// backend is a port of a Service.
type backend struct {
	endpoints atomic.Pointer[[]*echo.Pod]
	turn      atomic.Uint64
}

// Endpoint returns an endpoint, each in turn.
func (b *backend) Endpoint() proxy.Endpoint {
	list := b.endpoints.Load()
	if list == nil || len(*list) == 0 {
		return nil
	}
	return (*list)[(b.turn.Add(1)-1)%uint64(len(*list))]
}

func (b *backends) has(service client.ObjectKey) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.services[service] != nil
}

// port returns a port of a Service; isNew says that its endpoints are not known yet.
func (b *backends) port(service client.ObjectKey, number int32) (port *backend, isNew bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.services == nil {
		b.services = map[client.ObjectKey]map[int32]*backend{}
	}
	ports := b.services[service]
	if ports == nil {
		ports = map[int32]*backend{}
		b.services[service] = ports
	}
	if ports[number] == nil {
		ports[number], isNew = &backend{}, true
	}
	return ports[number], isNew
}

// ports returns the ports of a Service that routes lead to.
func (b *backends) ports(service client.ObjectKey) map[int32]*backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	ports := map[int32]*backend{}
	for number, port := range b.services[service] {
		ports[number] = port
	}
	return ports
}

// keep forgets the Services that no route leads to any more.
func (b *backends) keep(services map[client.ObjectKey]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.services {
		if !services[key] {
			delete(b.services, key)
		}
	}
}

// reconcileEndpoints follows which endpoints of a Service are ready.
func (e *edge) reconcileEndpoints(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	return reconcile.Result{}, e.fill(ctx, req.NamespacedName)
}

// fill notes the endpoints of a Service's ports that are ready.
func (e *edge) fill(ctx context.Context, key client.ObjectKey) error {
	service := &corev1.Service{}
	if err := e.client.Get(ctx, key, service, client.UnsafeDisableDeepCopy); client.IgnoreNotFound(err) != nil {
		return err
	}
	list := &discoveryv1.EndpointSliceList{}
	err := e.client.List(ctx, list, client.InNamespace(key.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: key.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return err
	}
	slices.SortFunc(list.Items, func(a, b discoveryv1.EndpointSlice) int { return routing.Older(&a, &b) })
	for number, port := range e.backends.ports(key) {
		var pods []*echo.Pod
		if sp := routing.PortOf(service, gatewayv1.PortNumber(number)); sp != nil {
			if pods, err = e.ready(ctx, list.Items, sp); err != nil {
				return err
			}
		}
		port.endpoints.Store(&pods)
	}
	return nil
}

// ready returns the endpoints that are ready for a port of a Service.
func (e *edge) ready(ctx context.Context, endpointSlices []discoveryv1.EndpointSlice, port *corev1.ServicePort) ([]*echo.Pod, error) {
	var pods []*echo.Pod
	for _, slice := range endpointSlices {
		i := slices.IndexFunc(slice.Ports, func(p discoveryv1.EndpointPort) bool { return ptr.Deref(p.Name, "") == port.Name && p.Port != nil })
		if i < 0 || slice.AddressType == discoveryv1.AddressTypeIPv6 {
			continue // pods of a rehearsal have IPv4 addresses
		}
		for _, endpoint := range slice.Endpoints {
			if !ptr.Deref(endpoint.Conditions.Ready, true) || len(endpoint.Addresses) == 0 {
				continue
			}
			key, err := e.podOf(ctx, slice.Namespace, endpoint)
			if err != nil {
				return nil, err
			}
			pods = append(pods, &echo.Pod{
				Namespace: key.Namespace, Name: key.Name, Port: *slice.Ports[i].Port,
				HTTP2: ptr.Deref(port.AppProtocol, "") == "kubernetes.io/h2c",
				Look:  func(ctx context.Context) echo.Traits { return e.traits(ctx, key) },
			})
		}
	}
	return pods, nil
}

// podOf returns the pod behind an endpoint. Where that is something outside the
// cluster it has the name of its address.
func (e *edge) podOf(ctx context.Context, namespace string, endpoint discoveryv1.Endpoint) (client.ObjectKey, error) {
	if ref := endpoint.TargetRef; ref != nil && ref.Kind == "Pod" {
		return client.ObjectKey{Namespace: namespace, Name: ref.Name}, nil
	}
	list := &corev1.PodList{}
	if err := e.client.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return client.ObjectKey{}, err
	}
	for _, pod := range list.Items {
		if pod.Status.PodIP == endpoint.Addresses[0] && !pod.Spec.HostNetwork {
			return client.ObjectKeyFromObject(&pod), nil
		}
	}
	return client.ObjectKey{Namespace: namespace, Name: endpoint.Addresses[0]}, nil
}

// traits tells what a connection has to know of a pod.
func (e *edge) traits(ctx context.Context, key client.ObjectKey) echo.Traits {
	pod := &corev1.Pod{}
	if err := e.client.Get(ctx, key, pod, client.UnsafeDisableDeepCopy); err != nil {
		return echo.Traits{}
	}
	return echo.Traits{Certificate: e.certificateOfPod(ctx, pod), Lines: speaksLines(pod)}
}

// speaksLines reports whether a pod is an echo server for TCP of the Gateway
// API's conformance suite.
func speaksLines(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool {
		return slices.ContainsFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == "TCP_ECHO_SERVER" && v.Value != "" })
	})
}

// certificateOfPod returns the first certificate among the Secrets that a pod
// mounts; nil where it mounts none.
func (e *edge) certificateOfPod(ctx context.Context, pod *corev1.Pod) *tls.Certificate {
	for _, volume := range pod.Spec.Volumes {
		if volume.Secret == nil {
			continue
		}
		secret := &corev1.Secret{}
		if err := e.client.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: volume.Secret.SecretName}, secret, client.UnsafeDisableDeepCopy); err != nil {
			continue
		}
		if pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey]); err == nil {
			return &pair
		}
	}
	return nil
}
