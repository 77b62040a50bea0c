package crds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

const (
	// fieldManager is who owns the definitions that Install writes.
	fieldManager = "hearth"
	// writers is how many definitions are sent at a time.
	writers = 8
	// installTimeout bounds the wait for a server to take definitions up.
	installTimeout = time.Minute
)

// Discovery cannot be watched, and lags about a second behind a definition. It
// is asked again after ever longer waits.
const (
	discoveryShortestWait = 100 * time.Millisecond
	discoveryLongestWait  = time.Second
)

// Install applies definitions (all of [All] where none are given), and returns
// once every one is established and its kind can be discovered. One that
// somebody else has taken over, such as a chart that brings its own, is left
// as it is. It may be called again, and concurrently.
func Install(ctx context.Context, cfg *rest.Config, which ...*apiextensionsv1.CustomResourceDefinition) error {
	if len(which) == 0 {
		var err error
		if which, err = All(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, installTimeout, fmt.Errorf("the server did not take them up within %s", installTimeout))
	defer cancel()
	client, err := clientset.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("installing CRDs: %w", err)
	}
	if err := apply(ctx, client, which); err != nil {
		return err
	}
	accepted, err := awaitEstablished(ctx, client, which)
	if err != nil {
		return err
	}
	return awaitDiscovery(ctx, client.Discovery(), accepted)
}

// apply sends the definitions, a few at a time.
func apply(ctx context.Context, client clientset.Interface, which []*apiextensionsv1.CustomResourceDefinition) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for _, crd := range which {
		g.Go(func() error {
			body, err := applyBody(crd)
			if err != nil {
				return fmt.Errorf("installing the CRD %s: %w", crd.Name, err)
			}
			_, err = client.ApiextensionsV1().CustomResourceDefinitions().Patch(ctx, crd.Name, types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: fieldManager})
			if err != nil && !apierrors.IsConflict(err) {
				return fmt.Errorf("installing the CRD %s: %w", crd.Name, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// applyBody is a definition without its status, which is the server's.
func applyBody(crd *apiextensionsv1.CustomResourceDefinition) ([]byte, error) {
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(crd)
	if err != nil {
		return nil, err
	}
	delete(object, "status")
	object["apiVersion"], object["kind"] = apiextensionsv1.SchemeGroupVersion.String(), "CustomResourceDefinition"
	return json.Marshal(object)
}

// awaitEstablished watches until the server accepts objects of every kind, and
// returns the definitions as the server has them.
func awaitEstablished(ctx context.Context, client clientset.Interface, which []*apiextensionsv1.CustomResourceDefinition) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	var accepted []*apiextensionsv1.CustomResourceDefinition
	pending := make(map[string]bool, len(which))
	for _, crd := range which {
		pending[crd.Name] = true
	}
	definitions := client.ApiextensionsV1().CustomResourceDefinitions()
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return definitions.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return definitions.Watch(ctx, o)
		},
	}
	_, err := watchtools.UntilWithSync(ctx, source, &apiextensionsv1.CustomResourceDefinition{}, nil, func(event watch.Event) (bool, error) {
		crd, ok := event.Object.(*apiextensionsv1.CustomResourceDefinition)
		if !ok || !pending[crd.Name] {
			return len(pending) == 0, nil
		}
		done, err := established(crd)
		if done {
			delete(pending, crd.Name)
			accepted = append(accepted, crd)
		}
		return len(pending) == 0, err
	})
	if err == nil {
		return accepted, nil
	}
	if reason := context.Cause(ctx); reason != nil {
		err = reason
	}
	return nil, fmt.Errorf("waiting for the CRDs %s to be established: %w", strings.Join(sortedKeys(pending), ", "), err)
}

// established tells whether a kind is served; an error means that it never
// will be.
func established(crd *apiextensionsv1.CustomResourceDefinition) (bool, error) {
	for _, condition := range crd.Status.Conditions {
		switch {
		case condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue:
			return true, nil
		case condition.Type == apiextensionsv1.NamesAccepted && condition.Status == apiextensionsv1.ConditionFalse:
			return false, fmt.Errorf("the server refuses the names of %s: %s", crd.Name, condition.Message)
		}
	}
	return false, nil
}

// awaitDiscovery returns once clients that ask what there is are told of every
// kind.
func awaitDiscovery(ctx context.Context, client discovery.DiscoveryInterface, which []*apiextensionsv1.CustomResourceDefinition) error {
	wait := discoveryShortestWait
	for {
		missing, err := undiscovered(client, which)
		if err == nil && len(missing) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to be discoverable: %w", strings.Join(missing, ", "), errors.Join(context.Cause(ctx), err))
		case <-time.After(wait):
			wait = min(2*wait, discoveryLongestWait)
		}
	}
}

// undiscovered lists what discovery does not tell of yet. An aggregated API
// that is down hides only its own kinds.
func undiscovered(client discovery.DiscoveryInterface, which []*apiextensionsv1.CustomResourceDefinition) ([]string, error) {
	_, lists, err := client.ServerGroupsAndResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, err
	}
	served := map[string]bool{}
	for _, list := range lists {
		for _, resource := range list.APIResources {
			served[list.GroupVersion+" "+resource.Name] = true
		}
	}
	var missing []string
	for _, crd := range which {
		for _, version := range crd.Spec.Versions {
			name := crd.Spec.Group + "/" + version.Name + " " + crd.Spec.Names.Plural
			if version.Served && !served[name] {
				missing = append(missing, name)
			}
		}
	}
	return missing, nil
}

func sortedKeys(set map[string]bool) []string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
