package kustomization

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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

// maxImpersonators bounds how many clients are kept.
const maxImpersonators = 256

// impersonators are clients that act as service accounts.
type impersonators struct {
	mgr manager.Manager

	mu      sync.Mutex
	clients map[string]client.Client
}

func (i *impersonators) forServiceAccount(namespace, name string) (client.Client, error) {
	user := "system:serviceaccount:" + namespace + ":" + name
	i.mu.Lock()
	defer i.mu.Unlock()
	if c, ok := i.clients[user]; ok {
		return c, nil
	}
	config := rest.CopyConfig(i.mgr.GetConfig())
	config.Impersonate = rest.ImpersonationConfig{UserName: user}
	c, err := liveClient(i.mgr, config)
	if err != nil {
		return nil, fmt.Errorf("act as the service account %s/%s: %w", namespace, name, err)
	}
	if i.clients == nil || len(i.clients) >= maxImpersonators {
		i.clients = map[string]client.Client{}
	}
	i.clients[user] = c
	return c, nil
}
