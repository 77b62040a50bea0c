package embed

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apiextensionsinformers "k8s.io/apiextensions-apiserver/pkg/client/informers/externalversions"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// recentlyEstablished is for how long after a CRD is established the API server
// holds up every create of its kind, lest another API server has not heard of
// it yet. Here there is only one.
const recentlyEstablished = 2 * time.Second

// definitions follows the CRDs: it tells the garbage collector when kinds come
// and go, and dates each CRD's establishment back so far that its objects can
// be created at once.
type definitions struct {
	client    clientset.Interface
	informers apiextensionsinformers.SharedInformerFactory
	queue     workqueue.TypedRateLimitingInterface[string]
	changed   chan struct{} // holds a token after a change
}

func (c *controllers) addDefinitions(context.Context) error {
	client, err := clientset.NewForConfig(c.config)
	if err != nil {
		return err
	}
	d := &definitions{
		client:    client,
		informers: apiextensionsinformers.NewSharedInformerFactoryWithOptions(client, resync, apiextensionsinformers.WithTransform(withoutSchema)),
		queue:     workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
		changed:   make(chan struct{}, 1),
	}
	c.definitionsChanged = d.changed
	informer := d.informers.Apiextensions().V1().CustomResourceDefinitions().Informer()
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    d.observe,
		UpdateFunc: func(_, obj any) { d.observe(obj) },
		DeleteFunc: d.observe,
	}); err != nil {
		return err
	}
	c.add(d.run)
	return nil
}

// withoutSchema keeps of a CRD what is needed here: the schemas are large.
func withoutSchema(obj any) (any, error) {
	if crd, ok := obj.(*apiextensionsv1.CustomResourceDefinition); ok {
		crd.ManagedFields, crd.Annotations = nil, nil
		crd.Spec = apiextensionsv1.CustomResourceDefinitionSpec{}
	}
	return obj, nil
}

func (d *definitions) observe(obj any) {
	select {
	case d.changed <- struct{}{}:
	default:
	}
	if crd, ok := obj.(*apiextensionsv1.CustomResourceDefinition); ok && backdating(crd) != nil {
		d.queue.Add(crd.Name)
	}
}

func (d *definitions) run(ctx context.Context) {
	d.informers.Start(ctx.Done())
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for d.next(ctx) {
			}
		})
	}
	<-ctx.Done()
	d.queue.ShutDown()
	running.Wait()
	d.informers.Shutdown()
}

// next dates one CRD back, and tries again for as long as it is new.
func (d *definitions) next(ctx context.Context) bool {
	name, shutdown := d.queue.Get()
	if shutdown {
		return false
	}
	defer d.queue.Done(name)
	crd, err := d.informers.Apiextensions().V1().CustomResourceDefinitions().Lister().Get(name)
	if err != nil {
		return true
	}
	patch := backdating(crd)
	if patch == nil {
		d.queue.Forget(name)
		return true
	}
	_, err = d.client.ApiextensionsV1().CustomResourceDefinitions().Patch(ctx, name, types.JSONPatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
		d.queue.AddRateLimited(name)
	}
	return true
}

// backdating is the patch that moves a CRD's establishment out of the time in
// which creates are held up, or nil where it lies outside of it.
func backdating(crd *apiextensionsv1.CustomResourceDefinition) []byte {
	for i, condition := range crd.Status.Conditions {
		if condition.Type != apiextensionsv1.Established || condition.Status != apiextensionsv1.ConditionTrue {
			continue
		}
		since := condition.LastTransitionTime.Time
		if time.Since(since) >= recentlyEstablished {
			return nil
		}
		path := fmt.Sprintf("/status/conditions/%d", i)
		patch, err := json.Marshal([]map[string]any{
			{"op": "test", "path": path + "/type", "value": condition.Type},
			// Times have whole seconds.
			{"op": "replace", "path": path + "/lastTransitionTime", "value": metav1.NewTime(since.Add(-recentlyEstablished - time.Second))},
		})
		if err != nil {
			return nil
		}
		return patch
	}
	return nil
}
