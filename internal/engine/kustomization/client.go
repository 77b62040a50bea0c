package kustomization

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// recordingClient tells of writes before they happen, and what the server
// answered to them.
type recordingClient struct {
	client.Client
	beforeWrite func(context.Context) error
	applied     func(*unstructured.Unstructured)

	mu sync.Mutex
}

// Patch applies an object, really or as a dry run.
func (c *recordingClient) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	if options := (&client.PatchOptions{}).ApplyOptions(opts); len(options.DryRun) == 0 {
		if err := c.willWrite(ctx); err != nil {
			return err
		}
	}
	if err := c.Client.Patch(ctx, obj, patch, opts...); err != nil {
		return err
	}
	if u, ok := obj.(*unstructured.Unstructured); ok {
		c.applied(u)
	}
	return nil
}

// Delete deletes an object that cannot be changed otherwise.
func (c *recordingClient) Delete(ctx context.Context, obj client.Object, opts ...client.DeleteOption) error {
	if err := c.willWrite(ctx); err != nil {
		return err
	}
	// Whoever deleted it in the meantime did what was asked.
	return client.IgnoreNotFound(c.Client.Delete(ctx, obj, opts...))
}

func (c *recordingClient) willWrite(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.beforeWrite(ctx)
}

// maxClients bounds how many clients are kept.
const maxClients = 256

// clients are those that act as service accounts, or on other clusters.
type clients struct {
	mgr manager.Manager

	mu   sync.Mutex
	kept map[string]client.Client
}

// get returns the client that was made for a key, or makes it.
func (c *clients) get(key string, make func() (client.Client, error)) (client.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if kube, ok := c.kept[key]; ok {
		return kube, nil
	}
	kube, err := make()
	if err != nil {
		return nil, err
	}
	if c.kept == nil || len(c.kept) >= maxClients {
		c.kept = map[string]client.Client{}
	}
	c.kept[key] = kube
	return kube, nil
}

// forServiceAccount returns a client of this cluster that acts as a service
// account.
func (c *clients) forServiceAccount(namespace, name string) (client.Client, error) {
	user := accountUser(namespace, name)
	return c.get(user, func() (client.Client, error) {
		config := rest.CopyConfig(c.mgr.GetConfig())
		config.Impersonate.UserName = user
		kube, err := liveClient(c.mgr, config)
		if err != nil {
			return nil, fmt.Errorf("act as the service account %s/%s: %w", namespace, name, err)
		}
		return kube, nil
	})
}

// accountUser is the user that a service account is to the API.
func accountUser(namespace, name string) string {
	return "system:serviceaccount:" + namespace + ":" + name
}

// accountGone reports, and tells, that the service account which applied the
// objects of a deleted Kustomization is no more. As nobody else may delete
// them, they stay.
func (w *walk) accountGone(ctx context.Context) (bool, error) {
	name := types.NamespacedName{Namespace: w.key.Namespace, Name: w.obj.Spec.ServiceAccountName}
	if name.Name == "" {
		return false, nil
	}
	account := &metav1.PartialObjectMetadata{}
	account.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
	err := w.reader.Get(ctx, name, account)
	if apierrors.IsNotFound(err) {
		w.event(corev1.EventTypeWarning, fmt.Sprintf("unable to prune objects: the service account %s does not exist", name))
		return true, nil
	}
	return false, err
}

// applyClient returns who applies: the process itself, the service account
// that the spec names, or whom the spec's kubeconfig stands for.
func (w *walk) applyClient(ctx context.Context) (client.Client, error) {
	account := w.obj.Spec.ServiceAccountName
	switch {
	case w.remote():
		return w.remoteClient(ctx, account)
	case account != "":
		return w.clients.forServiceAccount(w.key.Namespace, account)
	}
	return w.live, nil
}
