package fluxoperator

import (
	"fmt"
	"sync"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// maxClients bounds how many clients are kept.
const maxClients = 256

// Clients are clients that read from the server, each acting as somebody.
type Clients struct {
	mgr manager.Manager

	mu      sync.Mutex
	clients map[string]client.Client
}

// NewClients returns clients of the manager's cluster.
func NewClients(mgr manager.Manager) *Clients {
	return &Clients{mgr: mgr, clients: map[string]client.Client{}}
}

// For returns a client that acts as a service account of a namespace, or as the
// process itself where none is named.
func (c *Clients) For(namespace, account string) (client.Client, error) {
	config, user := c.mgr.GetConfig(), ""
	if account != "" {
		user = "system:serviceaccount:" + namespace + ":" + account
		config = rest.CopyConfig(config)
		config.Impersonate = rest.ImpersonationConfig{UserName: user}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.clients[user]; ok {
		return found, nil
	}
	options := client.Options{Scheme: c.mgr.GetScheme(), Mapper: c.mgr.GetRESTMapper()}
	if user == "" {
		options.HTTPClient = c.mgr.GetHTTPClient()
	}
	made, err := client.New(config, options)
	if err != nil {
		return nil, fmt.Errorf("act as the service account %s/%s: %w", namespace, account, err)
	}
	if len(c.clients) >= maxClients {
		c.clients = map[string]client.Client{}
	}
	c.clients[user] = made
	return made, nil
}
