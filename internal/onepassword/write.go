package onepassword

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Create adds an item to a vault that is named by name or id; empty is the
// first of the client's. It returns the item as the server has it. Errors are
// those of Item, and *ReadOnlyError.
func (c *Client) Create(ctx context.Context, vault string, item Item) (*Item, error) {
	if vault == "" {
		order, err := c.vaults(ctx, time.Now())
		if err != nil {
			return nil, err
		}
		if len(order) == 0 {
			return nil, errors.New("the store names no vaults: add one to spec.provider.onepassword.vaults")
		}
		vault = order[0]
	}
	vaultID, err := c.vaultID(ctx, vault, vaultSince(time.Now()))
	if err != nil {
		return nil, err
	}
	return c.write(ctx, http.MethodPost, vaultID, itemsPath(vaultID), sent(vaultID, item))
}

// Change is what becomes of an item. All else of it stays.
type Change struct {
	// Set gives fields their values, by label: those that the item has keep
	// their section and type, others are added.
	Set []Field
	// Remove takes out the fields of these labels, if the item has them.
	Remove []string
	// Tags replaces the tags; nil leaves them.
	Tags []string
}

// Change changes an item that was read with its fields, and returns it as the
// server has it then. A label that more than one field has is an
// *AmbiguousError.
func (c *Client) Change(ctx context.Context, item *Item, change Change) (*Item, error) {
	patch, err := change.patch(item)
	if err != nil {
		return nil, err
	}
	if len(patch) == 0 {
		return item, nil
	}
	return c.write(ctx, http.MethodPatch, item.VaultID, itemPath(item), patch)
}

// Delete takes an item out of its vault. One that is gone already is no error.
func (c *Client) Delete(ctx context.Context, item *Item) error {
	_, err := c.write(ctx, http.MethodDelete, item.VaultID, itemPath(item), nil)
	if isNotFound(err) {
		return nil
	}
	return err
}

// write sends a change. What is kept of earlier answers is no longer true then.
func (c *Client) write(ctx context.Context, method, vaultID, path string, body any) (*Item, error) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return nil, errors.New("the item cannot be written as JSON")
		}
	}
	var wire receivedItem
	var into any
	if method != http.MethodDelete {
		into = &wire
	}
	err := c.exchange(ctx, method, path, data, into)
	c.mu.Lock()
	clear(c.cache)
	c.mu.Unlock()
	var refused *TokenError
	if errors.As(err, &refused) && refused.Status == http.StatusForbidden {
		return nil, &ReadOnlyError{c.name, vaultID}
	}
	if err != nil {
		return nil, err
	}
	return wire.item(vaultID), nil
}

func itemPath(item *Item) string { return itemsPath(item.VaultID) + "/" + url.PathEscape(item.ID) }

// sent is an item as a request writes it. It holds values in clear text and
// lives no longer than the request.
func sent(vaultID string, item Item) wireItem {
	out := wireItem{Title: item.Title, Vault: wireRef{ID: vaultID}, Category: item.Category, Tags: item.Tags, Favorite: item.Favorite}
	if out.Category == "" {
		out.Category = "LOGIN"
	}
	for _, u := range item.URLs {
		out.URLs = append(out.URLs, wireURL(u))
	}
	for _, f := range item.Fields {
		wire := sentField(f)
		if f.Section != "" {
			wire.Section = &wireSection{ID: f.Section}
			if !slices.ContainsFunc(out.Sections, func(s wireSection) bool { return s.ID == f.Section }) {
				out.Sections = append(out.Sections, wireSection{f.Section, f.Section})
			}
		}
		out.Fields = append(out.Fields, wire)
	}
	return out
}

func sentField(f Field) wireField {
	wire := wireField{ID: f.ID, Type: f.Type, Purpose: f.Purpose, Label: f.Label, Value: f.Value.Reveal()}
	if wire.Type == "" {
		wire.Type = "CONCEALED"
	}
	return wire
}

// patchOperation is one step of the patch of an item.
type patchOperation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"` // an empty text is written
}

func (change Change) patch(item *Item) ([]patchOperation, error) {
	var patch []patchOperation
	for _, f := range change.Set {
		old, err := item.labelled(f.Label)
		switch {
		case err != nil:
			return nil, err
		case old == nil:
			patch = append(patch, patchOperation{"add", "/fields", sentField(f)})
		case !old.Value.Equal(f.Value):
			patch = append(patch, patchOperation{"replace", "/fields/" + pointerEscape.Replace(old.ID) + "/value", f.Value.Reveal()})
		}
	}
	for _, label := range change.Remove {
		old, err := item.labelled(label)
		if err != nil {
			return nil, err
		}
		if old != nil {
			patch = append(patch, patchOperation{"remove", "/fields/" + pointerEscape.Replace(old.ID), nil})
		}
	}
	if change.Tags != nil && !slices.Equal(change.Tags, item.Tags) {
		patch = append(patch, patchOperation{"replace", "/tags", change.Tags})
	}
	return patch, nil
}

// labelled returns the only field of a label, and nil if there is none.
func (i *Item) labelled(label string) (*Field, error) {
	var found *Field
	for n := range i.Fields {
		switch {
		case i.Fields[n].Label != label:
		case found != nil:
			return nil, &AmbiguousError{2, "or more fields \"" + label + "\" in the 1Password item \"" + i.Title + "\"", "rename all but one"}
		default:
			found = &i.Fields[n]
		}
	}
	return found, nil
}
