// Package onepassword is where a homelab's secrets live: vaults of items with
// fields, as 1Password keeps them, and the Connect REST API that hands them
// out (https://developer.1password.com/docs/connect/api-reference).
//
// [Server] speaks that API from a vault file, to who has one of its tokens;
// [Client] speaks it to any Connect server; a [Document] is a vault file that
// is changed. The file is plain YAML, or encrypted with age. [Needs] tells
// which items and fields an ExternalSecret asks for, and an [Assumer] makes up
// what no vault has, so that a rehearsal goes on without it.
//
// No value leaves the package unasked: a [Value] shows itself to nobody, and
// errors name vaults, items and fields only. The client keeps to the wire
// format rather than to the official SDK, whose types print what they hold and
// whose calls can be neither cancelled nor bounded; the server is held against
// that SDK by its tests. Templates, Secrets and refreshing are left to others.
package onepassword

import (
	"fmt"
	"time"
)

// Vault is a set of items.
type Vault struct {
	ID    string
	Name  string
	Items []Item
}

// String names the vault and counts its items.
func (v Vault) String() string {
	return fmt.Sprintf("vault %q with %d items", v.Name, len(v.Items))
}

// Item is one entry of a vault. Titles need not be unique.
type Item struct {
	ID       string
	Title    string
	VaultID  string
	Category string // such as LOGIN or DOCUMENT
	Tags     []string
	URLs     []URL
	Favorite bool
	Version  int // counts changes; 0 where nobody counts
	Created  time.Time
	Updated  time.Time
	Fields   []Field
	Files    []File
}

// URL is an address that an item is for.
type URL struct {
	Href    string
	Label   string
	Primary bool
}

// CategoryDocument is the category of items whose content is a file.
const CategoryDocument = "DOCUMENT"

// TypeOTP is the type of fields that one-time passwords are computed from.
const TypeOTP = "OTP"

// Field is one value of an item. Labels need not be unique.
type Field struct {
	ID      string
	Label   string
	Section string // label of the section; empty for none
	Type    string // such as STRING, CONCEALED or OTP
	Purpose string // USERNAME, PASSWORD or NOTES; empty for all others
	Value   Value
	// Code is the current one-time password of an OTP field, where a server told it.
	Code Value
}

// File is a file attached to an item. A client has its content only after it
// asked for it.
type File struct {
	ID      string
	Name    string
	Section string
	Size    int
	Path    string // of the content, on the Connect server
	Content Value
}

// find returns the first item of a title, in the order of the vaults.
func find(vaults []Vault, title string) (*Item, bool) {
	for i := range vaults {
		for j := range vaults[i].Items {
			if vaults[i].Items[j].Title == title {
				return &vaults[i].Items[j], true
			}
		}
	}
	return nil, false
}

// Known returns a function that tells the labels of an item's fields, by its
// title, and whether there is such an item. It serves NeedsOptions.Known.
func Known(vaults []Vault) func(item string) (labels []string, ok bool) {
	return func(title string) ([]string, bool) {
		item, ok := find(vaults, title)
		if !ok {
			return nil, false
		}
		labels := make([]string, 0, len(item.Fields))
		for _, f := range item.Fields {
			labels = append(labels, f.Label)
		}
		return labels, true
	}
}
