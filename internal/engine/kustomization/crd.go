package kustomization

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/kube/health"
	"hearth/internal/kube/objects"
	"hearth/internal/kube/work"
)

var crdKind = schema.GroupVersionKind{Group: apiextensionsv1.GroupName, Version: "v1", Kind: "CustomResourceDefinition"}

// crdWatch tells those who wait for definitions that one has changed. Only
// their metadata is cached: with their schemas they are by far the largest
// objects of a cluster.
type crdWatch struct {
	mu      sync.Mutex
	changed chan struct{}
}

func newCRDWatch() *crdWatch { return &crdWatch{changed: make(chan struct{})} }

// next returns a channel that closes at the next change.
func (c *crdWatch) next() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

func (c *crdWatch) change() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.changed)
	c.changed = make(chan struct{})
}

// await returns once definitions are established. Each change of one is
// followed by a look at the server.
func (c *crdWatch) await(ctx context.Context, reader client.Reader, names []string) error {
	for {
		changed := c.next()
		report, err := checkDefinitions(ctx, reader, names)
		if err != nil {
			return err
		}
		if report.Healthy() {
			return nil
		}
		if report.Hopeless() || anyGone(report) {
			return health.NewNotReadyError(report, nil)
		}
		err = work.Aside(ctx, func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
				return nil
			}
		})
		if err != nil {
			return health.NewNotReadyError(report, err)
		}
	}
}

// anyGone reports whether somebody deleted a definition that was just applied.
func anyGone(report health.Report) bool {
	return slices.ContainsFunc(report, func(s health.State) bool { return s.Status == status.NotFoundStatus })
}

func checkDefinitions(ctx context.Context, reader client.Reader, names []string) (health.Report, error) {
	var report health.Report
	for _, name := range names {
		state := health.State{Key: objects.Key{GroupVersionKind: crdKind}}
		state.Key.Name = name
		obj := &unstructured.Unstructured{}
		obj.SetGroupVersionKind(crdKind)
		err := reader.Get(ctx, client.ObjectKey{Name: name}, obj)
		switch {
		case apierrors.IsNotFound(err):
			state.Status = status.NotFoundStatus
		case err != nil:
			return nil, fmt.Errorf("read the definition %s: %w", name, err)
		default:
			if state.Result, err = health.Evaluate(obj, nil); err != nil {
				return nil, err
			}
		}
		report = append(report, state)
	}
	return report, nil
}
