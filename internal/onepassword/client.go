package onepassword

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// ClientOptions says which Connect server to ask, and for which vaults.
type ClientOptions struct {
	// URL of the server, such as http://127.0.0.1:8080.
	URL string
	// Name is what errors call the server; empty means the URL.
	Name string
	// Token that the server wants.
	Token string
	// Vaults maps names or ids of vaults to the order in which they are
	// searched, as a secret store does; equal numbers go by name.
	Vaults map[string]int
	// AllVaults searches every vault that the token reaches, by name, instead.
	AllVaults bool
	// Timeout bounds one request; 0 means 10 seconds.
	Timeout time.Duration
}

// Client reads and writes items of a Connect server. It keeps what it read, and hands
// it out again to callers who say that this is new enough, so that one round
// of refreshes asks for each item once. Its methods may be called
// concurrently; after Close it still works, but keeps no connections.
type Client struct {
	url     string
	name    string // of the server, for people
	token   Value
	order   []string // vaults, by name or id; those of the server where all is set
	all     bool
	timeout time.Duration
	http    *http.Client
	slots   chan struct{} // bounds concurrent requests

	mu    sync.Mutex
	cache map[string]*cached
}

// maxRequests bounds the requests that run at the same time.
const maxRequests = 8

// NewClient returns a client. Nothing is asked yet.
func NewClient(o ClientOptions) *Client {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = maxRequests
	transport.ResponseHeaderTimeout = o.Timeout
	return &Client{
		url:     strings.TrimRight(o.URL, "/"),
		name:    cmp.Or(o.Name, strings.TrimRight(o.URL, "/")),
		token:   NewValue(o.Token),
		order:   inOrder(o.Vaults),
		all:     o.AllVaults,
		timeout: o.Timeout,
		http:    &http.Client{Transport: transport, CheckRedirect: noRedirect},
		slots:   make(chan struct{}, maxRequests),
		cache:   map[string]*cached{},
	}
}

// noRedirect keeps the token from being carried elsewhere.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func inOrder(vaults map[string]int) []string {
	order := make([]string, 0, len(vaults))
	for name := range vaults {
		order = append(order, name)
	}
	slices.SortFunc(order, func(a, b string) int {
		if d := vaults[a] - vaults[b]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return order
}

// Close gives idle connections up.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Check asks for every vault, so that a server that is down, a token that is
// refused and a vault that is missing are known.
func (c *Client) Check(ctx context.Context) error {
	since := time.Now()
	order, err := c.vaults(ctx, since)
	if err != nil {
		return err
	}
	if len(order) == 0 && !c.all {
		return errors.New("the store names no vaults: add one to spec.provider.onepassword.vaults")
	}
	for _, name := range order {
		if _, err := c.vaultID(ctx, name, since); err != nil {
			return err
		}
	}
	return nil
}

// Item returns the item of a title, or else of an id, from the first vault
// that has it, read no earlier than since. The errors it returns are
// *NoItemError, *NoVaultError, *AmbiguousError, *TokenError,
// *UnreachableError and *ResponseError, or the context's. The item is read
// only.
func (c *Client) Item(ctx context.Context, title string, since time.Time) (*Item, error) {
	v, err := c.once(ctx, "item/"+title, since, func(ctx context.Context, since time.Time) (any, error) {
		return c.fetchItem(ctx, title, since)
	})
	if err != nil {
		return nil, err
	}
	return v.(*Item), nil
}

func (c *Client) fetchItem(ctx context.Context, title string, since time.Time) (*Item, error) {
	order, err := c.vaults(ctx, vaultSince(since))
	if err != nil {
		return nil, err
	}
	for _, vault := range order {
		item, err := c.searchVault(ctx, vault, title, vaultSince(since))
		if isNotFound(err) { // the vault has another id by now
			item, err = c.searchVault(ctx, vault, title, time.Now())
		}
		if item != nil || err != nil {
			return item, err
		}
	}
	return nil, &NoItemError{Item: title, Vaults: order}
}

func (c *Client) searchVault(ctx context.Context, vault, title string, since time.Time) (*Item, error) {
	vaultID, err := c.vaultID(ctx, vault, since)
	if err != nil {
		return nil, err
	}
	return c.itemInVault(ctx, vaultID, vault, title)
}

func isNotFound(err error) bool {
	var response *ResponseError
	return errors.As(err, &response) && response.Status == http.StatusNotFound
}

// vaultSince lets the ids of vaults be older than items: they hardly change,
// and a wrong one is noticed.
func vaultSince(since time.Time) time.Time { return since.Add(-time.Minute) }

// itemInVault returns nil without an error if the vault has no such item.
func (c *Client) itemInVault(ctx context.Context, vaultID, vault, title string) (*Item, error) {
	var found []wireItem
	if err := c.get(ctx, itemsPath(vaultID)+"?filter="+url.QueryEscape(`title eq "`+title+`"`), &found); err != nil {
		return nil, err
	}
	switch {
	case len(found) > 1:
		return nil, &AmbiguousError{len(found), "items titled \"" + title + "\" in vault " + vault, "rename all but one, or name the item by its id"}
	case len(found) == 1:
		return c.itemByID(ctx, vaultID, found[0].ID)
	case !IsID(title):
		return nil, nil
	}
	item, err := c.itemByID(ctx, vaultID, title)
	if isNotFound(err) {
		return nil, nil
	}
	return item, err
}

func (c *Client) itemByID(ctx context.Context, vaultID, id string) (*Item, error) {
	var wire receivedItem
	if err := c.get(ctx, itemsPath(vaultID)+"/"+url.PathEscape(id), &wire); err != nil {
		return nil, err
	}
	return wire.item(vaultID), nil
}

// List returns all items of the vaults, without fields, in the order of the
// vaults, and of titles in each.
func (c *Client) List(ctx context.Context, since time.Time) ([]*Item, error) {
	v, err := c.once(ctx, "list", since, func(ctx context.Context, since time.Time) (any, error) {
		order, err := c.vaults(ctx, vaultSince(since))
		if err != nil {
			return nil, err
		}
		var all []*Item
		for _, vault := range order {
			vaultID, err := c.vaultID(ctx, vault, vaultSince(since))
			if err != nil {
				return nil, err
			}
			var found []receivedItem
			if err := c.get(ctx, itemsPath(vaultID), &found); err != nil {
				return nil, err
			}
			slices.SortStableFunc(found, func(a, b receivedItem) int { return strings.Compare(a.Title, b.Title) })
			for _, wire := range found {
				all = append(all, wire.item(vaultID))
			}
		}
		return all, nil
	})
	if err != nil {
		return nil, err
	}
	return v.([]*Item), nil
}

// Full returns an item of a list with its fields.
func (c *Client) Full(ctx context.Context, item *Item, since time.Time) (*Item, error) {
	v, err := c.once(ctx, "id/"+item.VaultID+"/"+item.ID, since, func(ctx context.Context, _ time.Time) (any, error) {
		return c.itemByID(ctx, item.VaultID, item.ID)
	})
	if err != nil {
		return nil, err
	}
	return v.(*Item), nil
}

// Content returns the content of a file of an item.
func (c *Client) Content(ctx context.Context, item *Item, f File) (Value, error) {
	path := itemsPath(item.VaultID) + "/" + url.PathEscape(item.ID) + "/files/" + url.PathEscape(f.ID) + "/content"
	data, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return Value{}, err
	}
	return NewValue(string(data)), nil
}

// vaults returns the vaults in the order in which they are searched.
func (c *Client) vaults(ctx context.Context, since time.Time) ([]string, error) {
	if !c.all {
		return c.order, nil
	}
	v, err := c.once(ctx, "vaults", since, func(ctx context.Context, _ time.Time) (any, error) {
		var found []wireVault
		if err := c.get(ctx, "/v1/vaults", &found); err != nil {
			return nil, err
		}
		order := map[string]int{}
		for _, vault := range found {
			order[vault.Name] = 0
		}
		return inOrder(order), nil
	})
	if err != nil {
		return nil, err
	}
	return v.([]string), nil
}

// vaultID returns the id of a vault that is named by name or id.
func (c *Client) vaultID(ctx context.Context, name string, since time.Time) (string, error) {
	v, err := c.once(ctx, "vault/"+name, since, func(ctx context.Context, _ time.Time) (any, error) {
		var found []wireVault
		if err := c.get(ctx, "/v1/vaults?filter="+url.QueryEscape(`title eq "`+name+`"`), &found); err != nil {
			return nil, err
		}
		switch {
		case len(found) == 1:
			return found[0].ID, nil
		case len(found) > 1:
			return nil, &AmbiguousError{len(found), "vaults named \"" + name + "\"", "name the vault by its id"}
		case !IsID(name):
			return nil, &NoVaultError{name}
		}
		var byID wireVault
		err := c.get(ctx, "/v1/vaults/"+name, &byID)
		if isNotFound(err) {
			return nil, &NoVaultError{name}
		}
		return byID.ID, err
	})
	if err != nil {
		return "", err
	}
	return v.(string), nil
}

func itemsPath(vaultID string) string { return "/v1/vaults/" + url.PathEscape(vaultID) + "/items" }
