package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"hearth/internal/kube/work"
)

// fieldOwner is who owns the injected bundles.
const fieldOwner = client.FieldOwner("hearth-ca-injector")

// place is where an object holds an authority for a Service.
type place struct {
	path   string // JSON pointer of the bundle
	bundle []byte // what is there now
	name   string // JSON pointer of a name that has to be there still; "" is none
	value  string
}

// injected is a kind of object that names Services to be called.
type injected struct {
	name   string
	empty  func() client.Object
	places func(client.Object) []place
}

func injectedKinds() []injected {
	return []injected{
		{"validating", func() client.Object { return &admissionv1.ValidatingWebhookConfiguration{} }, validatingPlaces},
		{"mutating", func() client.Object { return &admissionv1.MutatingWebhookConfiguration{} }, mutatingPlaces},
		{"conversion", func() client.Object { return &apiextensionsv1.CustomResourceDefinition{} }, conversionPlaces},
		{"aggregation", func() client.Object { return &apiregistrationv1.APIService{} }, aggregationPlaces},
	}
}

func validatingPlaces(obj client.Object) []place {
	var list []place
	for i, w := range obj.(*admissionv1.ValidatingWebhookConfiguration).Webhooks {
		list = append(list, webhookPlace(i, w.Name, w.ClientConfig)...)
	}
	return list
}

func mutatingPlaces(obj client.Object) []place {
	var list []place
	for i, w := range obj.(*admissionv1.MutatingWebhookConfiguration).Webhooks {
		list = append(list, webhookPlace(i, w.Name, w.ClientConfig)...)
	}
	return list
}

func webhookPlace(i int, name string, config admissionv1.WebhookClientConfig) []place {
	if config.Service == nil {
		return nil
	}
	at := fmt.Sprintf("/webhooks/%d", i)
	return []place{{at + "/clientConfig/caBundle", config.CABundle, at + "/name", name}}
}

func conversionPlaces(obj client.Object) []place {
	conversion := obj.(*apiextensionsv1.CustomResourceDefinition).Spec.Conversion
	if conversion == nil || conversion.Webhook == nil || conversion.Webhook.ClientConfig == nil || conversion.Webhook.ClientConfig.Service == nil {
		return nil
	}
	return []place{{path: "/spec/conversion/webhook/clientConfig/caBundle", bundle: conversion.Webhook.ClientConfig.CABundle}}
}

func aggregationPlaces(obj client.Object) []place {
	spec := obj.(*apiregistrationv1.APIService).Spec
	if spec.Service == nil || spec.InsecureSkipTLSVerify {
		return nil
	}
	return []place{{path: "/spec/caBundle", bundle: spec.CABundle}}
}

// setupInjection keeps the authority in every object that needs it, also when
// their owners write another one.
func (b *Backend) setupInjection(mgr manager.Manager, gate *work.Gate) error {
	skip := true
	for _, kind := range injectedKinds() {
		err := builder.ControllerManagedBy(mgr).
			Named("webhook-" + kind.name).
			For(kind.empty()).
			WithOptions(controller.Options{SkipNameValidation: &skip}).
			Complete(work.Reconciler(gate, b.injector(mgr.GetClient(), kind)))
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Backend) injector(c client.Client, kind injected) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		obj := kind.empty()
		if err := c.Get(ctx, req.NamespacedName, obj); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
		patch, err := b.patch(kind.places(obj))
		if patch == nil || err != nil {
			return reconcile.Result{}, err
		}
		err = c.Patch(ctx, obj, client.RawPatch(types.JSONPatchType, patch), fieldOwner)
		if apierrors.IsInvalid(err) || apierrors.IsConflict(err) {
			// It has changed meanwhile, and comes by again.
			log.FromContext(ctx).V(1).Info("the authority is not written yet", "object", req.Name, "reason", err.Error())
			return reconcile.Result{}, nil
		}
		if client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, fmt.Errorf("write the stand-in's authority into %s: %w", req.Name, err)
		}
		return reconcile.Result{}, nil
	})
}

// patch returns a JSON patch that puts the authority in its places, or nil
// where it is there already.
func (b *Backend) patch(places []place) ([]byte, error) {
	var ops []map[string]any
	for _, p := range places {
		if bytes.Equal(p.bundle, b.authority.bundle) {
			continue
		}
		if p.name != "" {
			ops = append(ops, map[string]any{"op": "test", "path": p.name, "value": p.value})
		}
		ops = append(ops, map[string]any{"op": "add", "path": p.path, "value": b.authority.bundle})
	}
	if ops == nil {
		return nil, nil
	}
	return json.Marshal(ops)
}
