// Package webhook answers for the Services behind admission webhooks,
// conversion webhooks and aggregated APIs, whose pods are virtual.
//
// It promises that the API server gets an answer exactly while the Service has
// a ready endpoint, and the error of an unreachable backend while it has none,
// so that whatever depends on an operator's webhook waits for that operator's
// pods as in life. To be believed, its certificate authority is written into
// the configurations that name such a Service, as cert-manager's CA injector
// would do.
//
// Everything is admitted unchanged, conversion renames the version and leaves
// the content, and aggregated APIs are there but empty.
package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"hearth/internal/domain"
	"hearth/internal/kube/work"
)

// Bounds of the server.
const (
	maxBody        = 16 << 20
	requestTimeout = 30 * time.Second
	lookupTimeout  = 2 * time.Second
)

// Backend is one loopback server that answers for all Services. Its methods
// may be called concurrently.
type Backend struct {
	address   string
	server    *http.Server
	authority *authority

	mu     sync.RWMutex
	reader client.Reader
	note   *domain.Assumptions
	apis   map[string]http.Handler
}

// Listen starts the server on a free loopback port. It knows no Service until
// Setup was called. Close it at the end.
func Listen() (*Backend, error) {
	authority, err := newAuthority()
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority for webhooks: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for webhooks: %w", err)
	}
	b := &Backend{address: listener.Addr().String(), authority: authority}
	b.server = &http.Server{
		Handler:           http.MaxBytesHandler(b.route(answers()), maxBody),
		TLSConfig:         &tls.Config{GetCertificate: authority.certificate, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: requestTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		ErrorLog:          silent(),
	}
	// It returns ErrServerClosed after Close, and has no other reason to.
	go func() { _ = b.server.ServeTLS(listener, "", "") }()
	return b, nil
}

// Close stops the server.
func (b *Backend) Close() error { return b.server.Close() }

// Options says what Setup works with.
type Options struct {
	Gate        *work.Gate
	Assumptions *domain.Assumptions
}

// Setup lets the backend see the cluster's Services and write its authority
// where webhooks, conversions and aggregated APIs are configured.
func (b *Backend) Setup(mgr manager.Manager, o Options) error {
	b.mu.Lock()
	b.reader, b.note = mgr.GetClient(), o.Assumptions
	b.mu.Unlock()
	if err := b.setupInjection(mgr, o.Gate); err != nil {
		return fmt.Errorf("set up the stand-in webhooks: %w", err)
	}
	// The first call of a webhook must not have to wait for a cache.
	for _, obj := range []client.Object{&corev1.Service{}, &discoveryv1.EndpointSlice{}} {
		err := mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
			_, err := mgr.GetCache().GetInformer(ctx, obj)
			return err
		}))
		if err != nil {
			return fmt.Errorf("set up the stand-in webhooks: %w", err)
		}
	}
	return nil
}

// Answer lets a handler answer for an aggregated API group, instead of an API
// that is empty.
func (b *Backend) Answer(group string, h http.Handler) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.apis == nil {
		b.apis = map[string]http.Handler{}
	}
	b.apis[group] = h
}

// route leads requests to the handler of their group, or else to the rest.
func (b *Backend) route(rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, _ := strings.CutPrefix(r.URL.Path, "/apis/")
		group, _, _ := strings.Cut(path, "/")
		b.mu.RLock()
		h := b.apis[group]
		b.mu.RUnlock()
		if h == nil {
			h = rest
		}
		h.ServeHTTP(w, r)
	})
}

// Resolve returns where a Service's port can be reached: at this backend while
// the Service has a ready endpoint for it. It is what
// [hearth/internal/kube.Options.ResolveService] asks for.
func (b *Backend) Resolve(namespace, name string, port int32) (*url.URL, error) {
	b.mu.RLock()
	reader, note := b.reader, b.note
	b.mu.RUnlock()
	if reader == nil {
		return nil, noEndpoints(name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	service := &corev1.Service{}
	if err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, service); err != nil {
		return nil, err
	}
	ready, err := hasEndpoint(ctx, reader, service, port)
	if err != nil {
		return nil, err
	}
	if !ready {
		return nil, noEndpoints(name)
	}
	note.Add(domain.AssumedOperator, "Service "+namespace+"/"+name, "its webhooks and APIs are answered by a stand-in, which admits everything")
	return &url.URL{Scheme: "https", Host: b.address}, nil
}

func noEndpoints(name string) error {
	return apierrors.NewServiceUnavailable(fmt.Sprintf("no endpoints available for service %q", name))
}

// hasEndpoint reports whether a ready endpoint stands behind a Service's port.
func hasEndpoint(ctx context.Context, reader client.Reader, service *corev1.Service, port int32) (bool, error) {
	var portName *string
	for _, p := range service.Spec.Ports {
		if p.Port == port {
			portName = &p.Name
		}
	}
	if portName == nil {
		return false, apierrors.NewServiceUnavailable(fmt.Sprintf("no service port %d found for service %q", port, service.Name))
	}
	slices := &discoveryv1.EndpointSliceList{}
	err := reader.List(ctx, slices, client.InNamespace(service.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: service.Name})
	if err != nil {
		return false, err
	}
	for _, slice := range slices.Items {
		if servesPort(slice.Ports, *portName) && anyReady(slice.Endpoints) {
			return true, nil
		}
	}
	return false, nil
}

func servesPort(ports []discoveryv1.EndpointPort, name string) bool {
	for _, p := range ports {
		if p.Name != nil && *p.Name == name {
			return true
		}
	}
	return false
}

func anyReady(endpoints []discoveryv1.Endpoint) bool {
	for _, e := range endpoints {
		if e.Conditions.Ready == nil || *e.Conditions.Ready {
			return true
		}
	}
	return false
}

// errNoName says that a client did not say which Service it wants.
var errNoName = errors.New("no server name")
