package observe

import (
	"context"
	"slices"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
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
	eventKind          = corev1.SchemeGroupVersion.WithKind("Event")
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
