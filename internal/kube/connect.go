package kube

import (
	"errors"
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Connect reads how to reach a real cluster. An empty kubeconfig means the
// usual places ($KUBECONFIG, then ~/.kube/config), an empty context the
// file's current one. Nothing is contacted yet.
func Connect(kubeconfig, context string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: context})

	raw, err := loader.RawConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig %s: %w", describe(kubeconfig), err)
	}
	name := context
	if name == "" {
		name = raw.CurrentContext
	}
	if name == "" {
		return nil, fmt.Errorf("the kubeconfig %s sets no current context: name one", describe(kubeconfig))
	}
	if _, ok := raw.Contexts[name]; !ok {
		return nil, fmt.Errorf("the kubeconfig %s has no context %q", describe(kubeconfig), name)
	}
	cfg, err := loader.ClientConfig()
	if err != nil {
		if clientcmd.IsEmptyConfig(err) {
			err = errors.New("it names no cluster")
		}
		return nil, fmt.Errorf("using context %q of the kubeconfig %s: %w", name, describe(kubeconfig), err)
	}
	return cfg, nil
}

// describe names a kubeconfig for an error message.
func describe(path string) string {
	if path == "" {
		return "from $KUBECONFIG or ~/.kube/config"
	}
	return path
}
