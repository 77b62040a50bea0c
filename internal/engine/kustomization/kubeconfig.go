package kustomization

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/engine/remote"
)

// remote reports whether the objects go to another cluster, of which nothing
// is cached.
func (w *walk) remote() bool { return w.obj.Spec.KubeConfig != nil }

// remoteClient returns a client of the cluster that spec.kubeConfig names,
// which acts as a service account of that cluster where one is given. It is
// kept for as long as the kubeconfig says the same.
func (w *walk) remoteClient(ctx context.Context, account string) (client.Client, error) {
	content, from, err := remote.KubeConfig(ctx, w.client, w.key.Namespace, w.obj.Spec.KubeConfig)
	if err != nil {
		return nil, at(err, w.place("spec", "kubeConfig"))
	}
	user := ""
	if account != "" {
		user = accountUser(w.key.Namespace, account)
	}
	digest := sha256.Sum256(content)
	return w.clients.get("kubeconfig "+hex.EncodeToString(digest[:])+" "+user, func() (client.Client, error) {
		config, err := remote.Config(content)
		if err != nil {
			return nil, at(fmt.Errorf("%s: %w", from, err), w.place("spec", "kubeConfig"))
		}
		config.Impersonate.UserName = user
		kube, err := client.New(config, client.Options{Scheme: w.clients.mgr.GetScheme()})
		if err != nil {
			return nil, fmt.Errorf("%s: make a client of it: %w", from, err)
		}
		return kube, nil
	})
}

// nextLook returns when to look at what is waited for, which wakes us by itself
// on this cluster.
func (w *walk) nextLook(left time.Duration) time.Duration {
	if w.remote() {
		return min(left, remote.Poll)
	}
	return left
}
