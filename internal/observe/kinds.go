package observe

import (
	"context"
	"slices"
	"sync"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	esv1 "hearth/internal/api/externalsecrets/v1"
)

var (
	kustomizationKind  = kustomizev1.GroupVersion.WithKind(kindKustomization)
	helmReleaseKind    = helmv2.GroupVersion.WithKind(kindHelmRelease)
	externalSecretKind = esv1.GroupVersion.WithKind(kindExternalSecret)
	storeKind          = esv1.GroupVersion.WithKind(esv1.SecretStoreKind)
	clusterStoreKind   = esv1.GroupVersion.WithKind(esv1.ClusterSecretStoreKind)
	podKind            = corev1.SchemeGroupVersion.WithKind(kindPod)
	secretKind         = corev1.SchemeGroupVersion.WithKind(kindSecret)
	configMapKind      = corev1.SchemeGroupVersion.WithKind(kindConfigMap)
	httpRouteKind      = schema.GroupVersionKind{Group: gatewayv1.GroupName, Version: "v1", Kind: kindHTTPRoute}
	definitionKind     = apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition")
)

// workloadKinds are the built-in kinds that own pods, the innermost first.
var workloadKinds = []schema.GroupVersionKind{
	appsv1.SchemeGroupVersion.WithKind("ReplicaSet"),
	appsv1.SchemeGroupVersion.WithKind("Deployment"),
	appsv1.SchemeGroupVersion.WithKind("StatefulSet"),
	appsv1.SchemeGroupVersion.WithKind("DaemonSet"),
	batchv1.SchemeGroupVersion.WithKind("Job"),
	batchv1.SchemeGroupVersion.WithKind("CronJob"),
}

// lookedUpKinds are what states are looked up in.
var lookedUpKinds = []schema.GroupVersionKind{configMapKind, secretKind, clusterStoreKind, storeKind}

// toldKinds are what states are derived for, and what owns pods.
var toldKinds = append(slices.Clone(workloadKinds), kustomizationKind, helmReleaseKind, externalSecretKind, httpRouteKind, podKind)

// follow follows the observed kinds until ctx ends. Where definitions are
// missing it waits for new ones and tries again.
func (w *Watcher) follow(ctx context.Context) error {
	missing, err := w.followAll(ctx, lookedUpKinds)
	if err != nil {
		return ended(ctx, err)
	}
	w.reveal()
	further, err := w.followAll(ctx, toldKinds)
	if missing = append(missing, further...); err != nil || len(missing) == 0 {
		return ended(ctx, err)
	}
	if err := w.objects.Follow(ctx, definitionKind); err != nil {
		return ended(ctx, err)
	}
	for {
		if missing, err = w.followAll(ctx, missing); err != nil || len(missing) == 0 {
			return ended(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.defined:
		}
	}
}

// followAll follows kinds, all at once, and returns those that the cluster does
// not serve.
func (w *Watcher) followAll(ctx context.Context, kinds []schema.GroupVersionKind) (missing []schema.GroupVersionKind, err error) {
	results := make([]error, len(kinds))
	var following sync.WaitGroup
	for i, kind := range kinds {
		following.Go(func() { results[i] = w.objects.Follow(ctx, kind) })
	}
	following.Wait()
	for i, kind := range kinds {
		switch {
		case results[i] == nil:
		case apimeta.IsNoMatchError(results[i]):
			missing = append(missing, kind)
		default:
			return nil, results[i]
		}
	}
	return missing, nil
}

// ended waits for the end of ctx, unless an error came first. An error that
// the end itself brought about is none.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// typed returns an object as its Go type.
func typed[T any](obj client.Object) (*T, bool) {
	if t, ok := any(obj).(*T); ok {
		return t, true
	}
	u, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return nil, false
	}
	t := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, t); err != nil {
		return nil, false
	}
	return t, true
}
