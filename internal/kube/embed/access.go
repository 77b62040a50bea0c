package embed

import (
	"context"
	"fmt"

	"k8s.io/client-go/util/keyutil"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	accounts "k8s.io/kubernetes/pkg/controller/serviceaccount"
	"k8s.io/kubernetes/pkg/serviceaccount"
)

// addServiceAccounts gives every namespace its default service account.
func (c *controllers) addServiceAccounts(ctx context.Context) error {
	core := c.informers.Core().V1()
	a, err := accounts.NewServiceAccountsController(klog.FromContext(ctx), core.ServiceAccounts(), core.Namespaces(), c.client, accounts.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { a.Run(ctx, workers) })
	return nil
}

// addServiceAccountTokens fills Secrets of type service-account-token, which
// some charts still bring along.
func (c *controllers) addServiceAccountTokens(ctx context.Context) error {
	key, err := keyutil.PrivateKeyFromFile(c.keys.file(serviceAccountFile))
	if err != nil {
		return fmt.Errorf("reading the key that signs service account tokens: %w", err)
	}
	generator, err := serviceaccount.JWTTokenGenerator(serviceaccount.LegacyIssuer, key)
	if err != nil {
		return err
	}
	core := c.informers.Core().V1()
	t, err := accounts.NewTokensController(klog.FromContext(ctx), core.ServiceAccounts(), core.Secrets(), c.client, accounts.TokensControllerOptions{
		TokenGenerator: generator,
		RootCA:         c.keys.ca.certPEM,
	})
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { t.Run(ctx, workers) })
	return nil
}

// addRootCA publishes the certificate authority to every namespace.
func (c *controllers) addRootCA(context.Context) error {
	core := c.informers.Core().V1()
	p, err := rootcacertpublisher.NewPublisher(core.ConfigMaps(), core.Namespaces(), c.client, c.keys.ca.certPEM)
	if err != nil {
		return err
	}
	c.add(func(ctx context.Context) { p.Run(ctx, workers) })
	return nil
}

func (c *controllers) addClusterRoleAggregation(context.Context) error {
	a := clusterroleaggregation.NewClusterRoleAggregation(c.informers.Rbac().V1().ClusterRoles(), c.client.RbacV1())
	c.add(func(ctx context.Context) { a.Run(ctx, workers) })
	return nil
}
