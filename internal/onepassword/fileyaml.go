package onepassword

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// The types below are the YAML of a vault file as it is written (by way of JSON). They hold
// values in clear text and live no longer than it takes.

type fileVault struct {
	Name  string     `json:"name"`
	Items []fileItem `json:"items"`
}

type fileItem struct {
	Title    string           `json:"title"`
	ID       string           `json:"id,omitempty"`
	Category string           `json:"category,omitempty"`
	Tags     []string         `json:"tags,omitempty"`
	URLs     []fileURL        `json:"urls,omitempty"`
	Favorite bool             `json:"favorite,omitempty"`
	Version  int              `json:"version,omitempty"`
	Created  time.Time        `json:"created,omitzero"`
	Updated  time.Time        `json:"updated,omitzero"`
	Fields   []fileField      `json:"fields,omitempty"`
	Files    []fileAttachment `json:"files,omitempty"`
}

type fileURL struct {
	Href    string `json:"href"`
	Label   string `json:"label,omitempty"`
	Primary bool   `json:"primary,omitempty"`
}

type fileField struct {
	Label   string `json:"label"`
	Value   string `json:"value"`
	ID      string `json:"id,omitempty"`
	Section string `json:"section,omitempty"`
	Type    string `json:"type,omitempty"`
	Purpose string `json:"purpose,omitempty"`
}

type fileAttachment struct {
	Name    string `json:"name"`
	Content string `json:"content,omitempty"`
	Base64  string `json:"base64,omitempty"`
	ID      string `json:"id,omitempty"`
	Section string `json:"section,omitempty"`
}

type fileToken struct {
	Name    string    `json:"name"`
	SHA256  string    `json:"sha256"`
	Vaults  []string  `json:"vaults,omitempty"`
	Write   bool      `json:"write,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

func fileItemOf(item Item) fileItem {
	out := fileItem{
		Title: item.Title, ID: item.ID, Category: item.Category, Tags: item.Tags, URLs: fileURLsOf(item.URLs),
		Favorite: item.Favorite, Version: item.Version, Created: item.Created, Updated: item.Updated,
	}
	if out.ID == MakeID("item", item.VaultID, item.Title, "0") {
		out.ID = ""
	}
	if out.Category == "LOGIN" {
		out.Category = ""
	}
	for _, f := range item.Fields {
		out.Fields = append(out.Fields, fileFieldOf(f))
	}
	for _, f := range item.Files {
		out.Files = append(out.Files, fileAttachmentOf(f))
	}
	return out
}

func fileURLsOf(urls []URL) []fileURL {
	var out []fileURL
	for _, u := range urls {
		out = append(out, fileURL(u))
	}
	return out
}

// fileFieldOf leaves out what a reader fills in by itself.
func fileFieldOf(f Field) fileField {
	out := fileField{Label: f.Label, Value: f.Value.Reveal(), ID: f.ID, Section: f.Section, Type: f.Type, Purpose: f.Purpose}
	if out.ID == MakeID("field", f.Section, f.Label, "0") {
		out.ID = ""
	}
	if out.Type == "CONCEALED" {
		out.Type = ""
	}
	if out.Purpose == purposes[f.Label] {
		out.Purpose = ""
	}
	return out
}

func fileAttachmentOf(f File) fileAttachment {
	out := fileAttachment{Name: f.Name, Content: f.Content.Reveal(), ID: f.ID, Section: f.Section}
	if !utf8.ValidString(out.Content) {
		out.Content, out.Base64 = "", base64.StdEncoding.EncodeToString([]byte(out.Content))
	}
	return out
}

func fileTokenOf(t Token) fileToken {
	return fileToken{Name: t.Name, SHA256: hex.EncodeToString(t.Digest[:]), Vaults: t.Vaults, Write: t.Write, Expires: t.Expires}
}

// listItem returns the YAML of a list with one member.
func listItem[T any](member T) string { return blockItems([]T{member}) }

// blockItems returns the YAML of a list; empty where it has no members.
func blockItems[T any](members []T) string {
	if len(members) == 0 {
		return ""
	}
	list, err := blockNode(members)
	var out bytes.Buffer
	if err == nil {
		e := yaml.NewEncoder(&out)
		e.SetIndent(2)
		err = errors.Join(e.Encode(list), e.Close())
	}
	if err != nil {
		panic("plain structs of texts cannot be written as YAML") // not with err, which may cite one
	}
	return out.String()
}

// blockNode returns members as a YAML node in block style. It comes by way of
// JSON, which writes every text so that YAML reads it back unchanged; the YAML
// encoder by itself does not.
func blockNode(members any) (*yaml.Node, error) {
	data, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	var escaped strings.Builder
	for _, r := range string(data) {
		if r > '~' && !unicode.IsPrint(r) && r <= 0xffff {
			fmt.Fprintf(&escaped, "\\u%04x", r)
		} else {
			escaped.WriteRune(r)
		}
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(escaped.String()), &document); err != nil {
		return nil, err
	}
	list := document.Content[0]
	style(list)
	return list, nil
}

// style writes mappings and lists as blocks, and texts without quotes where
// that is safe.
func style(n *yaml.Node) {
	switch {
	case n.Kind != yaml.ScalarNode && len(n.Content) > 0:
		n.Style = 0
	case n.Style == yaml.DoubleQuotedStyle && isPlain(n.Value):
		n.Style = 0
	case n.Style == yaml.DoubleQuotedStyle && isLines(n.Value):
		n.Style = yaml.LiteralStyle
	}
	for _, child := range n.Content {
		style(child)
	}
}

// isPlain reports whether a text is printable; whether it needs quotes the
// YAML encoder knows.
func isPlain(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// isLines reports whether a text is lines as files have them, such as a
// certificate.
func isLines(text string) bool {
	for line := range strings.Lines(text) {
		line, _ = strings.CutSuffix(line, "\n")
		if line == "" || !isPlain(line) || strings.TrimSpace(line) != line {
			return false
		}
	}
	return strings.Contains(text, "\n")
}
