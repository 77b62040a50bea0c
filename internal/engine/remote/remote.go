// Package remote reaches the cluster that an object's spec.kubeConfig names,
// for reconcilers that apply there instead of where they run.
//
// A kubeconfig comes from a Secret, so from whoever may write one. It may not
// run programs, name files of this machine, or lead to addresses that no
// cluster has, and errors do not cite it. Logging in with an identity at a
// cloud provider is not done.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
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
	// requestTimeout bounds one request to another cluster, as in Flux.
	requestTimeout = 30 * time.Second
)

// KubeConfig reads the kubeconfig that a spec in a namespace refers to, and
// says where it stood. The error is one for which apierrors.IsNotFound is true
// where the Secret does not exist.
func KubeConfig(ctx context.Context, reader client.Reader, namespace string, ref *meta.KubeConfigReference) (content []byte, from string, err error) {
	if ref.SecretRef == nil {
		return nil, "", errors.New("spec.kubeConfig.configMapRef: Hearth has no identity at cloud providers to log in to a cluster with: name a kubeconfig by spec.kubeConfig.secretRef")
	}
	name := types.NamespacedName{Namespace: namespace, Name: ref.SecretRef.Name}
	var secret corev1.Secret
	err = reader.Get(ctx, name, &secret)
	if apierrors.IsNotFound(err) {
		return nil, "", fmt.Errorf("KubeConfig secret '%s' not found: %w", name, err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("unable to read KubeConfig secret '%s': %w", name, err)
	}
	keys := []string{"value", "value.yaml"}
	if ref.SecretRef.Key != "" {
		keys = []string{ref.SecretRef.Key}
	}
	for _, key := range keys {
		if content, ok := secret.Data[key]; ok {
			return content, fmt.Sprintf("KubeConfig secret '%s', key '%s'", name, key), nil
		}
	}
	return nil, "", fmt.Errorf("KubeConfig secret '%s' does not contain a '%s' key with a kubeconfig", name, keys[0])
}

// Config reads a kubeconfig.
func Config(content []byte) (*rest.Config, error) {
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
		UserAgent: "hearth", Timeout: requestTimeout,
		QPS: -1, // the server itself sees to fairness
	}, nil
}
