package kustomization

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"time"

	runtimeclient "github.com/fluxcd/pkg/runtime/client"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"hearth/internal/source/guard"
)

const (
	// maxKubeConfig bounds a kubeconfig, in bytes.
	maxKubeConfig = 1 << 20
	// remoteTimeout bounds one request to another cluster, as in Flux.
	remoteTimeout = 30 * time.Second
)

// remote reports whether the objects go to another cluster, of which nothing
// is cached.
func (w *walk) remote() bool { return w.obj.Spec.KubeConfig != nil }

// remoteClient returns a client of the cluster that spec.kubeConfig names,
// which acts as a service account of that cluster where one is given. It is
// kept for as long as the kubeconfig says the same.
func (w *walk) remoteClient(ctx context.Context, account string) (client.Client, error) {
	content, from, err := w.kubeConfig(ctx)
	if err != nil {
		return nil, at(err, w.place("spec", "kubeConfig"))
	}
	user := ""
	if account != "" {
		user = accountUser(w.key.Namespace, account)
	}
	digest := sha256.Sum256(content)
	return w.clients.get("kubeconfig "+hex.EncodeToString(digest[:])+" "+user, func() (client.Client, error) {
		config, err := remoteConfig(content)
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

// kubeConfig reads the kubeconfig that the spec names, and says where it stood.
func (w *walk) kubeConfig(ctx context.Context) (content []byte, from string, err error) {
	ref := w.obj.Spec.KubeConfig.SecretRef
	if ref == nil {
		return nil, "", errors.New("spec.kubeConfig.configMapRef: Hearth has no identity at cloud providers to log in to a cluster with: name a kubeconfig by spec.kubeConfig.secretRef")
	}
	name := types.NamespacedName{Namespace: w.key.Namespace, Name: ref.Name}
	var secret corev1.Secret
	err = w.client.Get(ctx, name, &secret)
	if apierrors.IsNotFound(err) {
		return nil, "", fmt.Errorf("KubeConfig secret '%s' not found", name)
	}
	if err != nil {
		return nil, "", fmt.Errorf("unable to read KubeConfig secret '%s': %w", name, err)
	}
	keys := []string{"value", "value.yaml"}
	if ref.Key != "" {
		keys = []string{ref.Key}
	}
	for _, key := range keys {
		if content, ok := secret.Data[key]; ok {
			return content, fmt.Sprintf("KubeConfig secret '%s', key '%s'", name, key), nil
		}
	}
	return nil, "", fmt.Errorf("KubeConfig secret '%s' does not contain a '%s' key with a kubeconfig", name, keys[0])
}

// remoteConfig reads a kubeconfig. It may neither run programs nor name files
// of this machine, nor lead to addresses that no cluster has.
func remoteConfig(content []byte) (*rest.Config, error) {
	if len(content) > maxKubeConfig {
		return nil, fmt.Errorf("the kubeconfig has %d bytes; more than %d are not read", len(content), maxKubeConfig)
	}
	parsed, err := clientcmd.Load(content)
	if err != nil {
		return nil, errors.New("this is no valid kubeconfig") // the cause may cite credentials
	}
	if err := runtimeclient.ValidateKubeConfig(parsed); err != nil {
		return nil, err
	}
	full, err := clientcmd.NewDefaultClientConfig(*parsed, &clientcmd.ConfigOverrides{}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	if full.ExecProvider != nil || full.AuthProvider != nil {
		return nil, errors.New("the kubeconfig's user runs a program to log in, which is not done: give it a token or a client certificate")
	}
	server, err := url.Parse(full.Host)
	if err != nil || server.Hostname() == "" {
		return nil, errors.New("the kubeconfig's server is no URL")
	}
	way := guard.New(server, false)
	if full.Proxy != nil {
		proxy, err := full.Proxy(nil)
		if err != nil {
			return nil, errors.New("the kubeconfig's proxy-url is no URL")
		}
		way.AllowProxy(proxy)
	}
	return &rest.Config{
		Host: full.Host, APIPath: full.APIPath, Dial: way.Dial, Proxy: full.Proxy,
		DisableCompression: full.DisableCompression,
		TLSClientConfig: rest.TLSClientConfig{
			ServerName: full.ServerName, CAData: full.CAData, CertData: full.CertData, KeyData: full.KeyData,
		},
		Username: full.Username, Password: full.Password, BearerToken: full.BearerToken,
		UserAgent: "hearth", Timeout: remoteTimeout,
		QPS: -1, // the server itself sees to fairness
	}, nil
}
