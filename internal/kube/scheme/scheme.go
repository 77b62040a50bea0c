// Package scheme lists the API types that Hearth knows as Go types: what
// Kubernetes serves, Flux's own, the Gateway API's, and Hearth's own types for
// flux-operator and External Secrets. Every other kind is handled unstructured.
package scheme

import (
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	notificationv1 "github.com/fluxcd/notification-controller/api/v1"
	notificationv1beta3 "github.com/fluxcd/notification-controller/api/v1beta3"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	generatorv1beta1 "github.com/fluxcd/source-watcher/api/v2/v1beta1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	esv1 "hearth/internal/api/externalsecrets/v1"
	esv1alpha1 "hearth/internal/api/externalsecrets/v1alpha1"
	fluxcdv1 "hearth/internal/api/fluxcd/v1"
)

// New returns a scheme with all of them.
func New() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme,
		apiextensionsv1.AddToScheme,
		apiregistrationv1.AddToScheme,
		sourcev1.AddToScheme,
		generatorv1beta1.AddToScheme,
		kustomizev1.AddToScheme,
		helmv2.AddToScheme,
		notificationv1.AddToScheme,
		notificationv1beta3.AddToScheme,
		gatewayv1.Install,
		gatewayv1beta1.Install,
		esv1.AddToScheme,
		esv1alpha1.AddToScheme,
		fluxcdv1.AddToScheme,
	} {
		utilruntime.Must(add(s))
	}
	return s
}
