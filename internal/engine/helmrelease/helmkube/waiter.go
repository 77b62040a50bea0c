package helmkube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"helm.sh/helm/v4/pkg/kube"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"

	"hearth/internal/engine/remote"
	"hearth/internal/kube/health"
	"hearth/internal/kube/objects"
)

// Expr says with CEL expressions when a custom resource is healthy.
type Expr = health.Expr

// GetWaiter returns a waiter of a strategy.
func (c *Client) GetWaiter(strategy kube.WaitStrategy) (kube.Waiter, error) {
	return c.GetWaiterWithOptions(strategy)
}

// GetWaiterWithOptions returns a waiter of a strategy: all of them watch here.
// HookOnlyStrategy waits for hooks alone, LegacyStrategy judges readiness as
// Helm 3 did.
func (c *Client) GetWaiterWithOptions(strategy kube.WaitStrategy, _ ...kube.WaitOption) (kube.Waiter, error) {
	return &waiter{c, strategy}, nil
}

type waiter struct {
	client   *Client
	strategy kube.WaitStrategy
}

func (w *waiter) hooksOnly() bool { return w.strategy == kube.HookOnlyStrategy }

// Wait returns once all objects are ready.
func (w *waiter) Wait(resources kube.ResourceList, timeout time.Duration) error {
	return w.ready(resources, timeout, false)
}

// WaitWithJobs returns once all objects are ready and all Jobs are complete.
func (w *waiter) WaitWithJobs(resources kube.ResourceList, timeout time.Duration) error {
	return w.ready(resources, timeout, true)
}

func (w *waiter) ready(resources kube.ResourceList, timeout time.Duration, jobs bool) error {
	if w.hooksOnly() || len(resources) == 0 {
		return w.client.alive()
	}
	ctx, cancel := context.WithTimeout(w.client.ctx, timeout)
	defer cancel()
	err := w.seen(ctx, resources)
	if err == nil && w.strategy == kube.LegacyStrategy {
		return w.readyAsInHelm3(ctx, resources, jobs)
	}
	plain := func(i *resource.Info) bool { return isJob(i) && !w.client.o.judges(i) }
	if err == nil {
		err = w.await(ctx, keysOf(resources.Filter(func(i *resource.Info) bool { return awaited(i) && (jobs || !plain(i)) })))
	}
	if err == nil && jobs {
		err = w.until(ctx, keysOf(resources.Filter(isJob)), complete)
	}
	if err == nil && !jobs {
		err = w.until(ctx, keysOf(resources.Filter(plain)), begun)
	}
	return described(ctx, err)
}

// await returns once all objects are healthy.
func (w *waiter) await(ctx context.Context, keys []objects.Key) error {
	conn := w.client.conn
	if conn.Remote() {
		return remote.Await(ctx, conn.Objects(), keys, w.client.o.Exprs)
	}
	return health.Await(ctx, conn.objects, keys, w.client.o.Exprs)
}

// readyAsInHelm3 returns once Helm's older checks find all objects ready: they
// know a few built-in kinds, and take all others for ready.
func (w *waiter) readyAsInHelm3(ctx context.Context, resources kube.ResourceList, jobs bool) error {
	checker := kube.NewReadyChecker(w.client.conn.Clientset, kube.PausedAsReady(true), kube.CheckJobs(jobs))
	infos := map[objects.Key]*resource.Info{}
	for _, info := range resources {
		infos[keyOf(info)] = info
	}
	return w.until(ctx, keysOf(resources), func(key objects.Key, _ *unstructured.Unstructured) (bool, error) {
		ready, err := checker.IsReady(ctx, infos[key])
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return ready, err
	})
}

// WatchUntilReady returns once a hook's Jobs and Pods have succeeded, and
// custom resources that expressions are given for are healthy. Objects of other
// kinds are ready as soon as they exist.
func (w *waiter) WatchUntilReady(resources kube.ResourceList, timeout time.Duration) error {
	running := resources.Filter(func(i *resource.Info) bool { return isJob(i) || isPod(i) })
	judged := resources.Filter(w.client.o.judges)
	if len(running)+len(judged) == 0 {
		return w.client.alive()
	}
	ctx, cancel := context.WithTimeout(w.client.ctx, timeout)
	defer cancel()
	err := w.seen(ctx, running)
	if err == nil {
		err = w.until(ctx, keysOf(running), complete)
	}
	if err == nil && len(judged) > 0 {
		err = w.await(ctx, keysOf(judged))
	}
	return described(ctx, err)
}

// judges reports whether expressions say when an object is healthy.
func (o Options) judges(info *resource.Info) bool {
	gvk := info.Mapping.GroupVersionKind
	return slices.ContainsFunc(o.Exprs, func(e Expr) bool {
		return e.APIVersion == gvk.GroupVersion().String() && (e.Kind == gvk.Kind || e.Kind == "")
	})
}

// WaitForDelete returns once all objects are gone.
func (w *waiter) WaitForDelete(resources kube.ResourceList, timeout time.Duration) error {
	if w.hooksOnly() || len(resources) == 0 {
		return w.client.alive()
	}
	ctx, cancel := context.WithTimeout(w.client.ctx, timeout)
	defer cancel()
	uids := map[objects.Key]types.UID{}
	for _, info := range resources {
		// What is there now may be gone from the server, and not yet from the cache.
		if err := info.Get(); apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
			continue
		} else if err != nil {
			return err
		}
		if obj, ok := info.Object.(*unstructured.Unstructured); ok {
			uids[keyOf(info)] = obj.GetUID()
		}
	}
	keys := make([]objects.Key, 0, len(uids))
	for _, info := range resources {
		if _, ok := uids[keyOf(info)]; ok {
			keys = append(keys, keyOf(info))
		}
	}
	err := w.until(ctx, keys, func(key objects.Key, obj *unstructured.Unstructured) (bool, error) {
		return obj == nil || obj.GetUID() != uids[key], nil
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("timed out waiting for objects to be deleted: %w", err)
	}
	return err
}

// seen returns once the cache shows what was applied, or what came after it,
// so that nobody takes an old status for the new one's.
func (w *waiter) seen(ctx context.Context, resources kube.ResourceList) error {
	applied := map[objects.Key]uint64{}
	for _, info := range resources {
		applied[keyOf(info)] = version(info.ResourceVersion)
	}
	return w.until(ctx, keysOf(resources), func(key objects.Key, obj *unstructured.Unstructured) (bool, error) {
		return obj != nil && version(obj.GetResourceVersion()) >= applied[key], nil
	})
}

// until waits until a condition is met for each object as the cache has it
// (nil where there is none), and gives the gate's slot up meanwhile.
func (w *waiter) until(ctx context.Context, keys []objects.Key, met func(objects.Key, *unstructured.Unstructured) (bool, error)) error {
	world, stop, err := w.client.conn.follow(ctx, keys)
	if err != nil {
		return err
	}
	defer stop()
	for {
		var left []string
		for _, key := range keys {
			obj, err := world.get(ctx, key)
			if err != nil {
				return err
			}
			ok, err := met(key, obj)
			if err != nil {
				return err
			}
			if !ok {
				left = append(left, key.String())
			}
		}
		if len(left) == 0 {
			return nil
		}
		if err := world.next(ctx); err != nil {
			return fmt.Errorf("waiting for %s: %w", strings.Join(left, ", "), err)
		}
	}
}

// complete reports whether a Job or Pod has run to its end; a failed one is an
// error.
func complete(key objects.Key, obj *unstructured.Unstructured) (bool, error) {
	if obj == nil {
		return false, nil
	}
	if key.Kind == "Pod" {
		phase, _, _ := unstructured.NestedString(obj.Object, "status", "phase")
		if phase == "Failed" {
			return false, fmt.Errorf("resource %s not ready. status: Failed, message: pod failed", name(key))
		}
		return phase == "Succeeded", nil
	}
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, condition := range conditions {
		c, ok := condition.(map[string]any)
		if !ok || c["status"] != "True" {
			continue
		}
		switch c["type"] {
		case "Complete":
			return true, nil
		case "Failed":
			return false, fmt.Errorf("resource %s not ready. status: Failed, message: %v", name(key), c["message"])
		}
	}
	return false, nil
}

// begun reports whether a Job has started; a failed one is an error.
func begun(key objects.Key, obj *unstructured.Unstructured) (bool, error) {
	if obj == nil {
		return false, nil
	}
	result, err := status.Compute(obj)
	if err == nil && result.Status == status.FailedStatus {
		err = fmt.Errorf("resource %s not ready. status: Failed, message: %s", name(key), result.Message)
	}
	return err == nil && result.Status == status.CurrentStatus, err
}

// described words a wait that failed as Helm does.
func described(ctx context.Context, err error) error {
	var notReady *health.NotReadyError
	if !errors.As(err, &notReady) {
		return err
	}
	var errs []error
	for _, s := range notReady.All {
		if s.Status != status.CurrentStatus {
			errs = append(errs, fmt.Errorf("resource %s not ready. status: %s, message: %s", name(s.Key), s.Status, s.Message))
		}
	}
	if err := ctx.Err(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// awaited leaves out what does not become ready by itself.
func awaited(info *resource.Info) bool {
	if info.Mapping.GroupVersionKind.Group != "apps" || info.Mapping.GroupVersionKind.Kind != "Deployment" {
		return true
	}
	obj, ok := info.Object.(*unstructured.Unstructured)
	if !ok {
		return true
	}
	paused, _, _ := unstructured.NestedBool(obj.Object, "spec", "paused")
	return !paused
}

func isJob(info *resource.Info) bool {
	gvk := info.Mapping.GroupVersionKind
	return gvk.Group == "batch" && gvk.Kind == "Job"
}

func isPod(info *resource.Info) bool {
	gvk := info.Mapping.GroupVersionKind
	return gvk.Group == "" && gvk.Kind == "Pod"
}

func keysOf(resources kube.ResourceList) []objects.Key {
	keys := make([]objects.Key, len(resources))
	for i, info := range resources {
		keys[i] = keyOf(info)
	}
	return keys
}

func keyOf(info *resource.Info) objects.Key {
	return objects.Key{
		GroupVersionKind: info.Mapping.GroupVersionKind,
		NamespacedName:   types.NamespacedName{Namespace: info.Namespace, Name: info.Name},
	}
}

func name(key objects.Key) string {
	return strings.Join([]string{key.Kind, key.Namespace, key.Name}, "/")
}

// version compares resource versions of one server, which count up.
func version(resourceVersion string) uint64 {
	v, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return 0
	}
	return v
}
