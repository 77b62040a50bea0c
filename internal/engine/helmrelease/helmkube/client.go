package helmkube

import (
	"bytes"
	"context"
	rawjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"helm.sh/helm/v4/pkg/kube"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/cli-runtime/pkg/resource"

	"hearth/internal/kube/work"
)

// UnknownKind is asked what to do about a kind that the cluster does not know.
// It reports whether it made the kind known, so that asking again helps.
type UnknownKind func(ctx context.Context, gvk schema.GroupVersionKind) (handled bool, err error)

// Options say how one action's client behaves.
type Options struct {
	// Namespace is where objects go that name none.
	Namespace string
	// UnknownKind may be nil.
	UnknownKind UnknownKind
	// Exprs say when custom resources are healthy.
	Exprs []Expr
}

// Client is the kube.Interface of one action. It refuses to begin anything
// once the action's context has ended, so that Helm's action winds up instead
// of running on.
type Client struct {
	*kube.Client

	ctx       context.Context
	conn      *Connection
	o         Options
	rendered  chan struct{}
	once      sync.Once
	abandoned atomic.Bool
}

var (
	_ kube.Interface            = (*Client)(nil)
	_ kube.InterfaceWaitOptions = (*Client)(nil)
)

// Client returns a client for one action that runs under ctx.
func (c *Connection) Client(ctx context.Context, o Options) *Client {
	stock := &kube.Client{Namespace: o.Namespace}
	stock.SetLogger(slog.DiscardHandler)
	return &Client{Client: stock, ctx: ctx, conn: c, o: o, rendered: make(chan struct{})}
}

// Rendered is closed when the action has done with templates: what follows
// only waits for the cluster, each time within bounds.
func (c *Client) Rendered() <-chan struct{} { return c.rendered }

// Abandon makes everything that the action may still try fail.
func (c *Client) Abandon() { c.abandoned.Store(true) }

// Abandoned reports whether Abandon was called.
func (c *Client) Abandoned() bool { return c.abandoned.Load() }

var errAbandoned = errors.New("the action was abandoned")

func (c *Client) alive() error {
	if c.abandoned.Load() {
		return errAbandoned
	}
	return c.ctx.Err()
}

// IsReachable does not ask the server: the next request tells.
func (c *Client) IsReachable() error { return c.alive() }

// Create applies or creates objects, unless the action's context has ended.
func (c *Client) Create(resources kube.ResourceList, options ...kube.ClientCreateOption) (*kube.Result, error) {
	if err := c.alive(); err != nil {
		return nil, err
	}
	return c.Client.Create(resources, options...)
}

// Update applies changed objects and deletes those no longer wanted, unless
// the action's context has ended.
func (c *Client) Update(original, target kube.ResourceList, options ...kube.ClientUpdateOption) (*kube.Result, error) {
	if err := c.alive(); err != nil {
		return &kube.Result{}, err
	}
	return c.Client.Update(original, target, options...)
}

// Delete deletes objects, also when the action's context has ended: an upgrade
// that was cut short cleans up what it made, if it is told to.
func (c *Client) Delete(resources kube.ResourceList, policy metav1.DeletionPropagation) (*kube.Result, []error) {
	if c.Abandoned() {
		return nil, []error{errAbandoned}
	}
	if len(resources) == 0 {
		return &kube.Result{}, nil
	}
	return c.Client.Delete(resources, policy)
}

// Build reads a manifest's objects and finds out where each is served. The
// server validates them when they are applied.
func (c *Client) Build(reader io.Reader, _ bool) (kube.ResourceList, error) {
	c.once.Do(func() { close(c.rendered) })
	if err := c.alive(); err != nil {
		return nil, err
	}
	objs, err := Decode(reader)
	if err != nil {
		return nil, err
	}
	list := make(kube.ResourceList, 0, len(objs))
	var errs []error
	for _, obj := range objs {
		info, err := c.info(obj)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, info)
	}
	return list, errors.Join(errs...)
}

// BuildTable is Build: nothing here prints tables.
func (c *Client) BuildTable(reader io.Reader, validate bool) (kube.ResourceList, error) {
	return c.Build(reader, validate)
}

func (c *Client) info(obj *unstructured.Unstructured) (*resource.Info, error) {
	gvk := obj.GroupVersionKind()
	mapping, err := c.mapping(gvk)
	if meta.IsNoMatchError(err) {
		return nil, fmt.Errorf("resource mapping not found for name: %q namespace: %q from \"\": %w\nensure CRDs are installed first",
			obj.GetName(), obj.GetNamespace(), err)
	}
	if err != nil {
		return nil, err
	}
	client, err := c.conn.clientFor(gvk.GroupVersion())
	if err != nil {
		return nil, err
	}
	info := &resource.Info{Client: client, Mapping: mapping, Name: obj.GetName(), Object: obj}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		if obj.GetNamespace() == "" {
			obj.SetNamespace(c.o.Namespace)
		}
		info.Namespace = obj.GetNamespace()
	}
	return info, nil
}

func (c *Client) mapping(gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := c.conn.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if !meta.IsNoMatchError(err) || c.o.UnknownKind == nil {
		return mapping, err
	}
	handled, hookErr := c.o.UnknownKind(c.ctx, gvk)
	if hookErr != nil {
		return nil, fmt.Errorf("making the kind %s known: %w", gvk.Kind, hookErr)
	}
	if !handled {
		return nil, err
	}
	return c.newMapping(gvk)
}

// Discovery follows a new kind with a delay: so often, and so much later, it is
// asked again.
const (
	newKindTries = 10
	newKindDelay = time.Second
)

// AwaitKind returns once a kind that was just defined can be used.
func (c *Client) AwaitKind(gvk schema.GroupVersionKind) error {
	_, err := c.newMapping(gvk)
	return err
}

// newMapping returns the mapping of a kind that was just made known.
func (c *Client) newMapping(gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	for try := 1; ; try++ {
		mapping, err := c.conn.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
		if !meta.IsNoMatchError(err) || try == newKindTries {
			return mapping, err
		}
		err = work.Aside(c.ctx, func(ctx context.Context) error {
			timer := time.NewTimer(newKindDelay)
			defer timer.Stop()
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-timer.C:
				return nil
			}
		})
		if err != nil {
			return nil, err
		}
	}
}

// Decode reads a stream of YAML documents. Lists are taken apart, and empty
// documents left out.
func Decode(reader io.Reader) ([]*unstructured.Unstructured, error) {
	var objs []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(reader, 4096)
	for {
		var raw rawjson.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return objs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading a manifest: %w", err)
		}
		if raw = bytes.TrimSpace(raw); len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal(raw, &fields); err != nil {
			return nil, errors.New("a manifest holds a document that is no object")
		}
		obj := &unstructured.Unstructured{Object: fields}
		if len(fields) == 0 {
			continue
		}
		if obj.GetKind() == "" || obj.GetAPIVersion() == "" {
			return nil, fmt.Errorf("a manifest's object %q has no apiVersion or no kind", obj.GetName())
		}
		if !obj.IsList() {
			objs = append(objs, obj)
			continue
		}
		err = obj.EachListItem(func(item runtime.Object) error {
			objs = append(objs, item.(*unstructured.Unstructured))
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading a list of a manifest: %w", err)
		}
	}
}

// GetPodList lists the pods of a hook, for their logs.
func (c *Client) GetPodList(namespace string, options metav1.ListOptions) (*corev1.PodList, error) {
	pods, err := c.conn.Clientset.CoreV1().Pods(namespace).List(c.ctx, options)
	if err != nil {
		return nil, fmt.Errorf("listing the pods of a hook: %w", err)
	}
	return pods, nil
}

// OutputContainerLogsForPodList writes nothing: nobody reads a hook's logs here.
func (c *Client) OutputContainerLogsForPodList(*corev1.PodList, string, func(namespace, pod, container string) io.Writer) error {
	return nil
}
