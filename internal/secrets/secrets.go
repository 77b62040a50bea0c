// Package secrets tells what a homelab needs of which vault: the items and
// fields of 1Password that its ExternalSecrets read, and where in Git each is
// asked for.
//
// It promises to hold names only, never a value. What it knows of vaults comes
// from a vault file, from 1Password Connect, or from the [Lock], in which a
// repository keeps the names that its vaults had when they were last looked at,
// so that a missing or misspelt field is known offline. Fetching values and
// making Secrets of them is left to others.
package secrets

import (
	"cmp"
	"context"
	"slices"

	v1 "hearth/internal/api/externalsecrets/v1"
	"hearth/internal/domain"
	"hearth/internal/onepassword"
	"hearth/internal/render/desired"
)

// Group is the API group of External Secrets.
const Group = "external-secrets.io"

// Need is one field of one item that something in the repository reads.
type Need struct {
	// Object is the ExternalSecret that reads it, or the
	// ClusterExternalSecret; zero where a file does by an op:// reference.
	Object domain.Ref
	Store  Store
	Item   string
	// Field is empty where the item is needed as a whole, or some of it and
	// nothing tells which fields.
	Field string
	// Name is what the field is called once it is rewritten; empty without a field.
	Name string
	// Search is what an entry of find looks for, instead of an item.
	Search *v1.Find
	// Place is the line that uses the field, or else the one that names the item.
	Place domain.Place
	// Named is where the item is named.
	Named domain.Place

	// read is the need as whoever reads it knows it.
	read onepassword.Need
	// at leads to what names the item, below the specification.
	at []string
	// extract says that all fields of the item are taken over.
	extract bool
	// all says that they all become part of the Secret.
	all bool
	// optional says that its user can do without it.
	optional bool
}

// Of returns what a cluster needs, ordered by vault, item and field. Where
// several items could supply a field, it is the one that vaults, as far as they
// are known, has it in; vaults may be nil.
func Of(ctx context.Context, state *desired.State, vaults []onepassword.Vault) []Need {
	n := &reader{state: state, vaults: vaults, stores: newStores(state), keys: wantedKeys(state), pushed: pushedFields(state)}
	for _, o := range state.OfKind(Group, "ExternalSecret") {
		n.external(ctx, o, "spec")
	}
	for _, o := range state.OfKind(Group, "ClusterExternalSecret") {
		n.external(ctx, o, "spec", "externalSecretSpec")
	}
	slices.SortStableFunc(n.list, compare)
	return n.list
}

func compare(a, b Need) int {
	return cmp.Or(
		slices.Compare(a.Store.Vaults, b.Store.Vaults),
		cmp.Compare(a.Item, b.Item),
		cmp.Compare(a.Field, b.Field),
		cmp.Compare(a.Place.File, b.Place.File),
		cmp.Compare(a.Place.Line, b.Place.Line),
		cmp.Compare(a.Object.String(), b.Object.String()),
	)
}

// Who names the object that has the need; empty where it is a file.
func (n Need) Who() string {
	if n.Object.Kind == "" {
		return ""
	}
	return n.Object.String()
}

// What says what is needed of the item: a field, what find looks for, or all.
func (n Need) What() string {
	switch {
	case n.Field != "":
		return n.Field
	case n.Search != nil:
		return "find " + describe(n.Search)
	}
	return onepassword.AllFields
}
